import { PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

/** `paceline set`: sets a parameter; an empty value takes it away. */
export async function setCommand(args: string[], options: GlobalOptions & { secret?: boolean }, shell: Shell): Promise<number> {
  if (args.length < 2 || args.length > 3) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'A key and a value are needed', {
      hint: "paceline set [RUN] KEY VALUE; an empty value ('') takes it away.",
    });
  }
  const [value = '', key = '', named] = args.toReversed();
  const client = await connect(options, shell);
  const run = await whichRun(client, named);
  if (value === '') await client.parameters.unset(run, key);
  else await client.parameters.set(run, key, value, { secret: options.secret === true });
  return 0;
}
