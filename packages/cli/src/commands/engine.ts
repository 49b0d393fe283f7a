import { createClient } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { engineGone, isAlive, readEngineFile } from '@paceline/door';
import { openState } from '../connection/connect.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

/** `paceline engine status|stop`: looks at the engine of the state directory, without starting one. */
export async function engineCommand([action = '']: string[], options: GlobalOptions, shell: Shell): Promise<number> {
  if (action !== 'status' && action !== 'stop') {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `'${action}' is nothing that an engine does`, {
      hint: 'paceline engine status, or paceline engine stop',
    });
  }
  const { path, token } = await openState(options, shell);
  const engine = await readEngineFile(path);
  if (engine === undefined || !isAlive(engine.pid)) {
    shell.stdout.write(`No engine runs on ${path}\n`);
    return 0;
  }
  const active = await createClient({ url: engine.url, token }).runs.list({ active: true });
  if (action === 'status') {
    shell.stdout.write(`${engine.url}  process ${engine.pid}  paceline ${engine.version}  active runs: ${active.length}\n`);
    return 0;
  }
  process.kill(engine.pid, 'SIGTERM');
  await engineGone(path, engine.pid);
  const rest = active.length === 0 ? '' : `; ${active.length} active runs go on with the next one, their machines are untouched`;
  shell.stdout.write(`The engine has stopped${rest}\n`);
  return 0;
}
