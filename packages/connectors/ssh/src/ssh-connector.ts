import { checkAborted, toConnectorError, wholeCharacters } from '@paceline/connector-host';
import {
  ConnectorError,
  type Account,
  type Connector,
  type ConnectorContext,
  type Machine,
  type TerminateResult,
} from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { launchMachines, limits, listLeases } from './launch.ts';
import { machineOf, resourceOf } from './lease.ts';
import { isOf } from './lease-memory.ts';
import { Site } from './site.ts';

/** A connector whose machines are leases of hosts that are there already. */
export function createSshConnector(config: Config, site = new Site(config)): Connector {
  return {
    info: { name: 'ssh', version: '0.0.0', api: 1 },
    capabilities: {
      ...limits,
      idempotency: 'tag',
      listConsistencyMs: 0,
      console: 'incremental',
      reach: 'tunnel',
      snapshot: false,
    },
    launch: (request, context) => during('take hosts', context, () => launchMachines(site, request, context)),
    describe: (ids, context) => during('describe machines', context, () => describeMachines(site, ids, context)),
    async *list(query, context) {
      checkAborted(context.signal, 'list what is there');
      const answers = await Promise.allSettled(site.online.map((host) => listLeases(site, host, context)));
      const silent: unknown[] = [];
      for (const [at, host] of site.online.entries()) {
        const answer = answers[at];
        if (answer?.status === 'fulfilled') {
          for (const lease of answer.value) {
            if (isOf(lease.record, query)) yield resourceOf(host, lease);
          }
        } else if (!site.health.isLost(host, context.now()) && site.memory.mayHave(host, query, context.now())) {
          silent.push(answer?.reason);
        }
      }
      // What those have of it that do not answer is not known: saying nothing would be saying that they have nothing.
      if (silent.length > 0) throw toConnectorError(silent[0], 'list what is there');
    },
    terminate: (ids, context) => during('give hosts back', context, () => terminateMachines(site, ids, context)),
    probe: (context) => during('ask the hosts', context, () => probeHosts(site, context)),
    consoleLog: (id, since, context) => during(`read the console of ${id}`, context, () => readConsole(site, id, since, context)),
    sshAccess: (id, context) =>
      during(`find ${id}`, context, async () => {
        const { host, lease } = known(site, id, context);
        return { ...(await site.calls.access(host)), scratch: `${host.directory}/leases/${lease}/tunnel` };
      }),
    wayIn: (id, context) =>
      during(`find ${id}`, context, async () => {
        const { host, lease } = known(site, id, context);
        const { host: address, port, user, hostKeys } = host.access;
        const enter = ['sh', `${host.directory}/leases/${lease}/program.sh`, host.directory, 'enter', lease];
        return {
          kind: 'ssh',
          host: address,
          port,
          user,
          hostKeys: [...hostKeys],
          enter,
          ...(config.identity === undefined ? {} : { identity: config.identity }),
        };
      }),
  };
}

async function describeMachines(site: Site, ids: readonly string[], context: ConnectorContext): Promise<Map<string, Machine>> {
  const byHost = Map.groupBy(
    ids.flatMap((id) => site.hostOf(id) ?? []),
    ({ host }) => host,
  );
  const found = await Promise.all(
    [...byHost].map(async ([host, members]) => {
      try {
        const leases = await listLeases(site, host, context);
        return leases.filter(({ id }) => members.some(({ lease }) => lease === id)).map((lease) => machineOf(host, lease));
      } catch (error) {
        if (!site.health.isLost(host, context.now())) throw error;
        const fault = `its host ${host.name} has not answered since ${site.health.silentSince(host)?.toISOString()}`;
        return ids.filter((id) => site.hostOf(id)?.host === host).map((id) => lostMachine(id, fault, [host.address]));
      }
    }),
  );
  const left = ids.flatMap((id) => describeStranger(site, id, context) ?? []);
  return new Map([...found.flat(), ...left].map((machine) => [machine.id, machine]));
}

function describeStranger(site: Site, id: string, context: ConnectorContext): Machine | undefined {
  const name = site.strangerOf(id, context.now());
  if (name === undefined) return undefined;
  const error = site.stranger(name, context);
  if (!site.health.isLost({ name }, context.now())) throw error;
  return lostMachine(id, error.message, []);
}

/** @throws ConnectorError `unavailable` when nothing is left of them but machines on hosts that cannot be named any more */
async function terminateMachines(site: Site, ids: readonly string[], context: ConnectorContext): Promise<TerminateResult[]> {
  const strangers = ids.map((id) => site.strangerOf(id, context.now()));
  const [first] = strangers;
  // With others in the call it would hide that those have ended.
  if (first !== undefined && strangers.every((name) => name !== undefined)) throw site.stranger(first, context);
  return Promise.all(ids.map((id) => site.drop(id, context)));
}

/** Its index and name are with its host. */
function lostMachine(id: string, fault: string, privateIps: string[]): Machine {
  return { id, index: 0, name: id, state: 'error', publicIps: [], privateIps, createdAt: new Date(0), fault };
}

async function probeHosts(site: Site, context: ConnectorContext): Promise<Account> {
  const hosts = site.online;
  const answers = await Promise.allSettled(hosts.map((host) => listLeases(site, host, context)));
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  if (failures.length === hosts.length) {
    throw failures.length > 0
      ? toConnectorError(failures[0], 'ask a host')
      : new ConnectorError('invalid', 'All hosts of this cloud are offline');
  }
  const answering = hosts.filter((_host, at) => answers[at]?.status === 'fulfilled').map(({ name }) => name);
  return { account: `${answering.length} of ${site.hosts.length} hosts`, regions: answering };
}

async function readConsole(site: Site, id: string, since: number, context: ConnectorContext): Promise<{ text: string; next: number }> {
  const { host, lease } = known(site, id, context);
  const answer = await site.health.watch(host, context, () => site.calls.ask(host, ['console', lease, since], context.signal));
  const [size, ...lines] = answer.split('\n');
  // The host has emptied it since then.
  if (Number(size) < since) return readConsole(site, id, 0, context);
  const bytes = wholeCharacters(Buffer.from(lines.join(''), 'base64'));
  return { text: bytes.toString('utf8'), next: since + bytes.length };
}

function known(site: Site, id: string, context: ConnectorContext): NonNullable<ReturnType<Site['hostOf']>> {
  const stranger = site.strangerOf(id, context.now());
  if (stranger !== undefined) throw site.stranger(stranger, context);
  const found = site.hostOf(id);
  if (found === undefined) throw new ConnectorError('notFound', `There is no machine ${id}`);
  return found;
}

async function during<T>(doing: string, { signal }: ConnectorContext, work: () => Promise<T>): Promise<T> {
  try {
    checkAborted(signal, doing);
    return await work();
  } catch (error) {
    throw toConnectorError(error, doing);
  }
}
