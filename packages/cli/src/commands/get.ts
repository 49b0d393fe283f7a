import type { Client, ParameterView } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface GetOptions extends GlobalOptions {
  reveal?: boolean;
  /** True without a number of seconds. */
  wait?: string | true;
}

/** `paceline get`: the value of a parameter on the standard output. */
export async function getCommand(args: string[], options: GetOptions, shell: Shell): Promise<number> {
  const [key = '', named, ...more] = args.toReversed();
  if (more.length > 0)
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'There are too many arguments', { hint: 'paceline get [RUN] KEY' });
  const client = await connect(options, shell);
  const run = await whichRun(client, named);
  const read = (): Promise<ParameterView> => client.parameters.get(run, key, { reveal: options.reveal === true });
  let { value } = await read();
  if (value === null && options.wait !== undefined) value = await waitForValue(client, run, key, waitMs(options.wait), read);
  if (value === null) throw new PacelineError('PACELINE_PARAMETER_UNSET', `${key} has no value yet`, { hint: 'Wait for it with --wait.' });
  shell.stdout.write(`${value}\n`);
  return 0;
}

/** Looks again with every event: a value may come through a mapping, or follow from something else. */
async function waitForValue(
  client: Client,
  run: string,
  key: string,
  ms: number | undefined,
  read: () => Promise<ParameterView>,
): Promise<string> {
  const late = ms === undefined ? undefined : AbortSignal.timeout(ms);
  const { lastEvent } = await client.runs.get(run);
  const first = await read();
  if (first.value !== null) return first.value;
  for await (const { type, message } of client.followEvents(run, { after: lastEvent, ...(late === undefined ? {} : { signal: late }) })) {
    const { value } = await read();
    if (value !== null) return value;
    if (type === 'run.abort') throw new PacelineError('PACELINE_RUN_ABORTED', message);
  }
  if (late?.aborted === true) throw new PacelineError('PACELINE_TIMEOUT', `${key} has got no value within ${(ms ?? 0) / 1000} s`);
  throw new PacelineError('PACELINE_RUN_ENDED', `The run has ended, and ${key} has no value`);
}

function waitMs(wait: string | true): number | undefined {
  if (wait === true) return undefined;
  const seconds = Number(wait);
  if (wait.trim() !== '' && seconds >= 0 && seconds <= 2_000_000) return seconds * 1000;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `--wait: '${wait}' is not a number of seconds`, {
    hint: 'Write --wait at the end of the line when it has no number.',
  });
}
