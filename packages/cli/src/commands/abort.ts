import { PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

/** `paceline abort`: raises the abort flag; scripts stop, reports are sent, then the keepRunning policy decides. */
export async function abortCommand(args: string[], options: GlobalOptions, shell: Shell): Promise<number> {
  const [reason = '', named, ...more] = args.toReversed();
  if (more.length > 0 || reason === '')
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'A reason is needed', { hint: "paceline abort [RUN] 'REASON'" });
  const client = await connect(options, shell);
  const { id, state, abort } = await client.runs.abort(await whichRun(client, named), reason);
  shell.stdout.write(`${id} ${state}, aborted${abort?.reason === reason ? '' : ' already'}\n`);
  return 0;
}

/** `paceline cancel-abort`: takes the flag down again. */
export async function cancelAbortCommand([named]: string[], options: GlobalOptions, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const { id, state } = await client.runs.cancelAbort(await whichRun(client, named));
  shell.stdout.write(`${id} ${state}\n`);
  return 0;
}
