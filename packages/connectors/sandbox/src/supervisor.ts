import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkAborted } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import { asMachineRoot, cleanEnvironment } from './command.ts';
import { ask } from './control.ts';
import { findProgram } from './host-facts.ts';
import type { Site } from './site.ts';

const patienceMs = 10_000;
const pollMs = 3;
/** Of the network of a run: 1,022 addresses. */
const networkPrefix = 22;

/** Has the machines of a run started, each once, by its supervisor, which is started if there is none. */
export async function startMachines(site: Site, run: string, ids: readonly string[], signal: AbortSignal): Promise<void> {
  const begin = performance.now();
  while ((await ask(run, { start: ids }, signal)) === undefined) {
    checkAborted(signal, 'start machines');
    if (performance.now() - begin > patienceMs) {
      throw new ConnectorError('internal', `The supervisor of ${run} cannot be started`, { hint: `Its log is ${run}/supervisor.log.` });
    }
    await supervise(site, run, signal);
  }
}

/** Starts a supervisor. Returns when one answers, or this one has ended because there is another. */
async function supervise(site: Site, run: string, signal: AbortSignal): Promise<void> {
  const log = openSync(join(run, 'supervisor.log'), 'a');
  try {
    const [file = '', ...args] = await supervisorCommand(site, run);
    const child = spawn(file, args, { cwd: run, detached: true, stdio: ['ignore', log, log], env: cleanEnvironment });
    await spawned(child);
    child.unref();
    while (child.exitCode === null && child.signalCode === null && (await ask(run, { alive: true }, signal)) === undefined) {
      await pause(pollMs);
    }
    // It may have to wait for one that is just going home.
    await pause(pollMs);
  } finally {
    closeSync(log);
  }
}

async function supervisorCommand(site: Site, run: string): Promise<string[]> {
  const [python, slirp, nft] = await Promise.all(['python3', 'slirp4netns', 'nft'].map(findProgram));
  const settings = {
    privileged: site.privileged,
    pool: site.config.network,
    prefix: networkPrefix,
    nft: nft ?? null,
    slirp: (site.config.internet && slirp) || null,
    node: site.config.node ?? process.execPath,
    // Where overlays keep what they know of a directory: only root may use the first.
    attribute: site.privileged ? 'trusted.overlay.opaque' : 'user.overlay.opaque',
    overlay: site.privileged ? '' : ',userxattr',
  };
  const program = [python ?? 'python3', '-I', '-S', join(run, 'supervise.py'), JSON.stringify(settings)];
  return asMachineRoot(site, program, ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']);
}

/** Rejects when the program could not be started. */
function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve());
    child.once('error', reject);
  });
}
