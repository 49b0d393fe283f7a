import { rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAborted, unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type ConnectorContext, type TerminateResult } from '@paceline/engine/connector';
import { ask } from './control.ts';
import { removeControlGroups } from './control-groups.ts';
import { removeTrees } from './garbage.ts';
import { removeRun } from './run-directory.ts';
import { machineDirectory, runOf, type Site } from './site.ts';

/** Everything in the directory of a machine except its record. */
const files = ['user-data', 'console.log', 'started', 'address', 'fault', 'exit', 'ended'];
const trees = ['upper', 'work', 'root'];

/**
 * Ends machines: they are marked, so that nobody starts them any more, their processes die, their files go. The record goes last, so
 * whatever interrupts this, `list` still shows what is left. With its last machine goes the run.
 */
export async function terminateMachines(site: Site, ids: readonly string[], context: ConnectorContext): Promise<TerminateResult[]> {
  checkAborted(context.signal, 'terminate');
  const byRun = Map.groupBy(new Set(ids), (id) => runOf(site, id) ?? '');
  byRun.delete('');
  await Promise.all([...byRun].map(([run, members]) => terminateIn(site, run, members, context.signal)));
  return ids.map((id) => ({ id, gone: true }));
}

async function terminateIn(site: Site, run: string, ids: readonly string[], signal: AbortSignal): Promise<void> {
  const directories = ids.map((id) => machineDirectory(run, id));
  // If this cannot be written, since the disk is full, they die all the same.
  await Promise.all(directories.map((path) => writeFile(join(path, 'ended'), '').catch(() => undefined)));
  const alive = await ask(run, { end: ids }, signal);
  const survivor = ids.find((id) => alive?.has(id));
  if (survivor !== undefined) {
    throw new ConnectorError('timeout', `${survivor} was started again while it was ended`, { hint: 'Terminate it again.' });
  }
  await removeControlGroups(ids);
  await removeTrees(
    site,
    directories.flatMap((path) => trees.map((name) => join(path, name))),
  );
  await Promise.all(directories.map(removeMachine));
  await removeRun(run);
}

async function removeMachine(directory: string): Promise<void> {
  await Promise.all(files.map((name) => rm(join(directory, name), { force: true })));
  await rm(join(directory, 'machine.json'), { force: true });
  await unlessMissing(rmdir(directory));
}
