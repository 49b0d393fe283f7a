import type { ReapReport } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { harmlessLine } from '@paceline/door';
import { connectToClouds } from '../connection/connect.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';

export interface ReapOptions extends GlobalOptions {
  clouds?: string;
  yes?: boolean;
  json?: boolean;
}

/** `paceline reap`: what the clouds have of this server that no run needs; with `--yes` it is removed. */
export async function reapCommand(_args: string[], options: ReapOptions, shell: Shell): Promise<number> {
  const client = await connectToClouds(options, shell);
  const remove = options.yes === true;
  const report = await client.reap(remove);
  if (options.json === true) shell.stdout.write(`${JSON.stringify(report)}\n`);
  else print(report, remove, shell);
  if (report.failures.length === 0) return 0;
  const failures = report.failures.map(({ cloud, message }) => `${cloud}: ${harmlessLine(message)}`);
  throw new PacelineError('PACELINE_CLOUD_FAILED', failures.join('\n'), {
    hint: 'There may be more than what is shown. Try again when the cloud answers, with credentials of the account that the machines are in.',
  });
}

const outcomes = { found: '', removed: 'removed', ending: 'still going', kept: 'still there' };

function print({ orphans, seen, accounts, failures }: ReapReport, remove: boolean, shell: Shell): void {
  for (const { cloud, account } of accounts) say(shell, `${cloud} was looked into as ${harmlessLine(account)}.`);
  for (const { cloud, kind, id, reason, outcome } of orphans)
    shell.stdout.write(`${cloud}  ${kind} ${harmlessLine(id)}  ${harmlessLine(reason)}${remove ? `: ${outcomes[outcome]}` : ''}\n`);
  const going = orphans.filter(({ outcome }) => outcome === 'ending').length;
  if (orphans.length === 0 && failures.length === 0) shell.stdout.write(`Nothing is left over (${seen} in use)\n`);
  else if (!remove && orphans.length > 0)
    say(shell, `Nothing was removed. \`paceline reap --yes\` removes ${orphans.length === 1 ? 'it' : `all ${orphans.length}`}.`);
  if (going > 0) say(shell, `${going} still going: their clouds have agreed to end them. Look again with \`paceline reap\`.`);
}
