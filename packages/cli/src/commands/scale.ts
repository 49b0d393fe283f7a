import { followRun, scaleWish, type ScaleWords } from '@paceline/door';
import { PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import { exitCodeOf, exitCodes } from '../run/exit-code.ts';
import { whichRun } from '../run/which-run.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { viewFor } from './up.ts';

export interface ScaleOptions extends GlobalOptions, Omit<ScaleWords, 'change'> {
  wait: boolean;
  logs?: boolean;
  json?: boolean;
}

/** `paceline scale`: changes the machines of a node and waits until the run is ready again. */
export async function scaleCommand(args: string[], options: ScaleOptions, shell: Shell): Promise<number> {
  const { named, node, change } = wordsOf(args);
  const wish = scaleWish(node, { ...options, change });
  const client = await connect(options, shell);
  const before = await client.runs.get(await whichRun(client, named));
  const answer = await client.runs.scale(before.id, wish);
  const json = options.json === true;
  if (json) shell.stdout.write(`${JSON.stringify({ type: 'scale', instances: answer.instances })}\n`);
  if (answer.instances.length === 0) {
    if (!json) shell.stdout.write(`${node} is as it should be\n`);
    return exitCodes.ok;
  }
  if (!json) say(shell, `${before.id.slice(0, 8)}: ${answer.run.scaling?.action ?? 'done'} ${answer.instances.join(' ')}`);
  if (!options.wait) return exitCodes.ok;
  const view = viewFor(shell, json);
  try {
    const following = { client, run: before.id, view, logs: options.logs === true, endsReady: () => true };
    const found = await followRun({ ...following, after: before.lastEvent });
    if (json) shell.stdout.write(`${JSON.stringify({ type: 'result', exitCode: exitCodeOf(found), run: found })}\n`);
    else if (found.abort !== null)
      throw new PacelineError('PACELINE_RUN_ABORTED', found.abort.reason, {
        hint: `Look into it, then \`paceline cancel-abort ${before.id.slice(0, 8)}\`, or end the run.`,
      });
    return exitCodeOf(found);
  } finally {
    view.close();
  }
}

/** `[run] node [change]`: the change is told by its sign. */
function wordsOf(args: string[]): { named: string | undefined; node: string; change: string | undefined } {
  const isChange = (word: string | undefined): boolean => word !== undefined && /^[+=-]/.test(word);
  const change = isChange(args.at(-1)) ? args.at(-1) : undefined;
  const names = change === undefined ? args : args.slice(0, -1);
  const [node, named] = names.toReversed();
  if (node === undefined || names.length > 2 || names.some(isChange))
    throw new PacelineError('PACELINE_REQUEST_INVALID', `'${args.join(' ')}' does not name a node and a change`, {
      hint: 'Write it as `paceline scale RUN NODE +2`.',
    });
  return { named, node, change };
}
