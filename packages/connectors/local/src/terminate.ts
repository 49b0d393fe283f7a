import { readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkAborted, toConnectorError, unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type ConnectorContext, type TerminateResult } from '@paceline/engine/connector';
import { releaseAddress } from './address.ts';
import { readMarks } from './machine-marks.ts';
import { readRecord } from './machine-record.ts';
import { endProcesses } from './process-end.ts';
import { processesOf, type MachineMarks } from './process-match.ts';
import type { ProcessEntry, ProcessTable } from './process-table.ts';
import { removeTree } from './remove-tree.ts';
import { leaveRun, residentDirectory } from './run-directory.ts';
import { isMachineId, socketPath, type Site } from './site.ts';

/**
 * Ends machines: their configuration is taken from the agent, their processes die, they leave their run, their files go. The record
 * goes last, so whatever interrupts this, `list` still shows what is left. One machine that cannot be ended does not keep the others.
 */
export async function terminateMachines(
  site: Site,
  table: ProcessTable,
  ids: readonly string[],
  context: ConnectorContext,
): Promise<TerminateResult[]> {
  checkAborted(context.signal, 'terminate');
  const machines = await Promise.all([...new Set(ids)].filter(isMachineId).map((id) => readMarks(site, id)));
  // So that it is not taken for broken while it dies. If this cannot be written (the disk is full), it dies all the same.
  await Promise.all(machines.map(({ directory }) => writeFile(join(directory, 'ended'), 'terminated\n').catch(() => undefined)));
  const runs = await groupByRun(site, machines);
  await takeConfigurations(runs);

  const failures: ConnectorError[] = [];
  // The agent may have started a script just before it saw that the configuration is gone, so look again when all is over.
  let rest = machines;
  do {
    const survivors = await endProcesses(table, (entries) => processesOf(entries, rest), context.signal);
    // Once more: the user data may have written it while it died.
    await takeConfigurations(runs);
    rest = rest.filter((machine) => !survives(machine, survivors, failures));
    await Promise.all([...runs].map(([run, members]) => leaveRun(site, table, run, idsOf(members, rest), context.signal)));
    rest = (await Promise.all(rest.map((machine) => removeFiles(site, machine, failures)))).filter((machine) => machine !== undefined);
  } while (processesOf(await table.snapshot(), rest).length > 0);

  const [first, ...others] = failures;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : ` (and ${others.length} more machines)`;
    throw new ConnectorError(first.code, `${first.message}${more}`, first.details);
  }
  return ids.map((id) => ({ id, gone: true }));
}

async function groupByRun(site: Site, machines: MachineMarks[]): Promise<Map<string, MachineMarks[]>> {
  const runs = await Promise.all(machines.map((machine) => runOf(site, machine)));
  const byRun = Map.groupBy(machines, (_, at) => runs[at] ?? '');
  byRun.delete('');
  return byRun;
}

/** By the link in the machine's directory, which also a machine with a damaged record has; by the run's own link if that is gone. */
async function runOf(site: Site, { id, directory }: MachineMarks): Promise<string | undefined> {
  const run = await unlessMissing(readlink(join(directory, 'run')));
  if (run !== undefined && dirname(run) === site.runs) {
    return run;
  }
  const runs = ((await unlessMissing(readdir(site.runs))) ?? []).map((key) => join(site.runs, key));
  const members = await Promise.all(runs.map((each) => unlessMissing(readlink(join(each, 'members', id)))));
  return runs.find((_, at) => members[at] !== undefined);
}

async function takeConfigurations(runs: Map<string, MachineMarks[]>): Promise<void> {
  const paths = [...runs].flatMap(([run, members]) => members.map(({ id }) => join(residentDirectory(run), `${id}.json`)));
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}

function idsOf(members: MachineMarks[], rest: MachineMarks[]): string[] {
  return members.filter((member) => rest.includes(member)).map(({ id }) => id);
}

function survives(machine: MachineMarks, survivors: ProcessEntry[], failures: ConnectorError[]): boolean {
  const own = processesOf(survivors, [machine]);
  const [first] = own;
  if (first === undefined) {
    return false;
  }
  const foreign = first.uid !== process.getuid?.();
  failures.push(
    new ConnectorError(
      foreign ? 'forbidden' : 'timeout',
      `Process ${own.map(({ pid }) => pid).join(', ')} of ${machine.id} cannot be ended`,
      {
        hint: foreign
          ? 'A script started it as another user: end it as that user, then terminate again.'
          : 'It may wait for a disk or a network file system: terminate again when that answers.',
      },
    ),
  );
  return true;
}

async function removeFiles(site: Site, machine: MachineMarks, failures: ConnectorError[]): Promise<MachineMarks | undefined> {
  try {
    const reading = await readRecord(machine.directory);
    await rm(socketPath(site, machine.id), { force: true });
    await removeTree(machine.directory, ['run', 'machine.json']);
    if (reading !== undefined && 'record' in reading) {
      await releaseAddress(site, reading.record.address, machine.directory);
    }
    return machine;
  } catch (error) {
    failures.push(toConnectorError(error, `remove the files of ${machine.id} in ${dirname(machine.directory)}`));
    return undefined;
  }
}
