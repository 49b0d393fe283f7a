import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { checkAborted, hasCode, toConnectorError } from '@paceline/connector-host';
import {
  checkLimits,
  ConnectorError,
  matches,
  type Account,
  type Connector,
  type ConnectorContext,
  type Machine,
  type TerminateResult,
} from '@paceline/engine/connector';
import * as z from 'zod';
import type { Config } from './config.ts';
import { findMachine, findMachines, type Found } from './inventory.ts';
import { noteMachines } from './launch.ts';
import { ModuleCopies, moduleKey } from './module-copy.ts';
import { Runners } from './runners.ts';
import { siteOf, type Site } from './site.ts';
import { findTool, type Tool } from './tool.ts';

const maxBatch = 64;

/** What works on the machines of a cloud, once it is known which tool there is. */
interface Works {
  tool: Tool;
  copies: ModuleCopies;
  runners: Runners;
}

/** A connector whose machines are made by a module of OpenTofu or Terraform, one state for each. */
export function createTerraformConnector(config: Config): Connector {
  const site = siteOf(config.root);
  let made: Works | undefined;
  const works = (): Works => (made ??= openWorks(site, config));
  const limits = { userDataBytes: config.userDataBytes, maxBatch };
  return {
    info: { name: 'terraform', version: '0.0.0', api: 1 },
    capabilities: { ...limits, idempotency: 'name', listConsistencyMs: 0, console: 'none', reach: config.reach, snapshot: false },
    launch: (request, context) =>
      during('launch machines', context, async () => {
        checkLimits(request, limits);
        const { copies } = works();
        const records = await noteMachines(site, copies, config, request, context);
        const found = await Promise.all(records.map(({ id }) => findMachine(site, id, config)));
        return seeTo(site, works(), present(found), context);
      }),
    describe: (ids, context) =>
      during('describe machines', context, async () => {
        const found = present(await Promise.all(ids.map((id) => findMachine(site, id, config))));
        return new Map((await seeTo(site, works(), found, context)).map((machine) => [machine.id, machine]));
      }),
    async *list(query, context) {
      const found = await during('list what is there', context, () => findMachines(site, config));
      const ours = found.filter(({ record }) => matches(record, query));
      const machines = await during('list what is there', context, () => seeTo(site, works(), ours, context));
      for (const [at, { record }] of ours.entries()) {
        checkAborted(context.signal, 'list what is there');
        const { id, name, owner, token, expiresAt } = record;
        const machine = machines[at];
        yield { kind: 'machine', id, name, owner, token, expiresAt, ...(machine !== undefined && { machine }) };
      }
    },
    terminate: (ids, context) => during('end machines', context, () => terminate(site, works(), config, ids, context)),
    probe: (context) => during('ask for the tool and its module', context, () => probe(works().tool, config, context)),
    async close() {
      made?.runners.close();
    },
  };
}

function openWorks(site: Site, config: Config): Works {
  const tool = findTool(config);
  const copies = new ModuleCopies(site, tool);
  return { tool, copies, runners: new Runners(site, tool, copies, config) };
}

/** Goes on with what a crash has left half done, and ends what is past its time. */
async function seeTo(site: Site, { runners }: Works, found: readonly Found[], context: ConnectorContext): Promise<Machine[]> {
  const now = context.now();
  return Promise.all(
    found.map(async ({ record, machine }) => {
      const isOver = record.expiresAt.getTime() <= now;
      if (isOver && machine.state !== 'stopping') await markEnded(site, record.id);
      if (isOver || machine.state === 'stopping') runners.attend(record, 'end', context.log);
      else if (machine.state === 'pending') runners.attend(record, 'make', context.log);
      return isOver ? { ...machine, state: 'stopping' as const } : machine;
    }),
  );
}

async function terminate(
  site: Site,
  { runners }: Works,
  config: Config,
  ids: readonly string[],
  { log, signal }: ConnectorContext,
): Promise<TerminateResult[]> {
  const stuck: string[] = [];
  const there = new Set<string>();
  for (const id of ids) {
    checkAborted(signal, 'end machines');
    const found = await findMachine(site, id, config);
    if (found === undefined || !(await markEnded(site, id))) continue;
    there.add(id);
    runners.attend(found.record, 'end', log);
    if (found.stuck !== undefined) stuck.push(`${found.record.name} (${id}): ${found.stuck}`);
  }
  if (stuck.length > 0) {
    throw new ConnectorError('conflict', `Machines cannot be ended: ${stuck.join('; ')}`, {
      hint: `It is tried again. The states are in ${site.machines}.`,
    });
  }
  return ids.map((id) => ({ id, gone: !there.has(id) }));
}

/** @returns false when the machine has gone meanwhile */
async function markEnded(site: Site, id: string): Promise<boolean> {
  try {
    await writeFile(join(site.machines, id, 'ended'), '', { flush: true });
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

const versionSchema = z.object({ terraform_version: z.string() });

async function probe(tool: Tool, config: Config, { signal }: ConnectorContext): Promise<Account> {
  await moduleKey(config.module);
  const { code, output } = await tool.run(['version', '-json'], signal);
  const at = output.indexOf('{');
  const version =
    code === 0 && at >= 0 ? versionSchema.safeParse(JSON.parse(output.slice(at, output.lastIndexOf('}') + 1))).data : undefined;
  if (version === undefined) throw new ConnectorError('unsupported', `${tool.path} does not say its version; is it OpenTofu or Terraform?`);
  return { account: `${basename(tool.path)} ${version.terraform_version}, module ${basename(config.module)}`, regions: [config.region] };
}

function present(found: readonly (Found | undefined)[]): Found[] {
  return found.filter((each) => each !== undefined);
}

async function during<T>(doing: string, { signal }: ConnectorContext, work: () => Promise<T>): Promise<T> {
  try {
    checkAborted(signal, doing);
    return await work();
  } catch (error) {
    throw toConnectorError(error, doing);
  }
}
