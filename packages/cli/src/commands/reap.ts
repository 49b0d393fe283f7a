import type { ReapReport } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { harmlessLine } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';

export interface ReapOptions extends GlobalOptions {
  yes?: boolean;
  json?: boolean;
}

/** `paceline reap`: what the clouds have of this server that no run needs; with `--yes` it is removed. */
export async function reapCommand(_args: string[], options: ReapOptions, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const remove = options.yes === true;
  const report = await client.reap(remove);
  if (options.json === true) shell.stdout.write(`${JSON.stringify(report)}\n`);
  else print(report, remove, shell);
  const [failure] = report.failures;
  if (failure === undefined) return 0;
  throw new PacelineError('PACELINE_CLOUD_FAILED', `${failure.cloud}: ${harmlessLine(failure.message)}`, {
    hint: 'What is left there may be more than what is shown. Try again when the cloud answers.',
  });
}

function print({ orphans, seen, failures }: ReapReport, removed: boolean, shell: Shell): void {
  for (const { cloud, kind, id, reason } of orphans) shell.stdout.write(`${cloud}  ${kind} ${harmlessLine(id)}  ${harmlessLine(reason)}\n`);
  if (orphans.length === 0) shell.stdout.write(`Nothing is left over (${seen} in use)\n`);
  else if (removed) shell.stdout.write(failures.length === 0 ? `${orphans.length} removed\n` : 'Not all of it could be removed\n');
  else say(shell, `Nothing was removed. \`paceline reap --yes\` removes ${orphans.length === 1 ? 'it' : `all ${orphans.length}`}.`);
}
