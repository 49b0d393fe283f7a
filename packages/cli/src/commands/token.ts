import type { Client, TokenView } from '@paceline/api';
import { PacelineError, parseDuration } from '@paceline/model';
import { harmlessLine } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { roleOf } from './user.ts';

export interface TokenOptions extends GlobalOptions {
  user?: string;
  expires: string;
  role?: string;
  project?: string;
  json?: boolean;
}

/** `paceline token list|create|revoke`: the personal tokens of a server. */
export async function tokenCommand([action = '', what = '']: string[], options: TokenOptions, shell: Shell): Promise<number> {
  if (!['list', 'create', 'revoke'].includes(action)) throw invalid(`'${action}' is nothing that is done with tokens`);
  if (action !== 'list' && what === '') throw invalid(action === 'create' ? 'What is the token for?' : 'Which token?');
  const client = await connect(options, shell);
  if (action === 'create') return create(client, what, options, shell);
  if (action === 'revoke') {
    await client.accounts.revokeToken(what);
    say(shell, `The token ${what} is worth nothing any more`);
    return 0;
  }
  const tokens = await client.accounts.tokens();
  if (options.json === true) shell.stdout.write(`${JSON.stringify(tokens)}\n`);
  else for (const token of tokens) shell.stdout.write(`${line(token)}\n`);
  return 0;
}

async function create(
  { accounts }: Client,
  title: string,
  { user, expires, role, project, json }: TokenOptions,
  shell: Shell,
): Promise<number> {
  const created = await accounts.createToken({
    title,
    ...(user === undefined ? {} : { user }),
    ...(expires === 'never' ? {} : { expiresAt: new Date(shell.now() + lifetime(expires)).toISOString() }),
    ...(role === undefined ? {} : { role: roleOf(role) }),
    ...(project === undefined ? {} : { project }),
  });
  // The token alone goes where programs read it.
  shell.stdout.write(json === true ? `${JSON.stringify(created)}\n` : `${created.token}\n`);
  say(shell, `A token of ${created.user}, ${until(created)}. It is not shown again.`);
  return 0;
}

function lifetime(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const ms = days === undefined ? parseDuration(text) : Number(days) * 24 * 60 * 60_000;
  if (ms === undefined || ms === 0) throw invalid(`--expires: '${text}' is no length of time`, 'Write it as 90d, 12h or never.');
  return ms;
}

function line(token: TokenView): string {
  const { id, user, title, role, project } = token;
  const limits = [...(role === null ? [] : [`at most ${role}`]), ...(project === null ? [] : [`in ${harmlessLine(project)} only`])];
  return [id, harmlessLine(user), harmlessLine(title), until(token), ...limits].join('  ');
}

function until({ expiresAt }: TokenView): string {
  return expiresAt === null ? 'good for ever' : `good until ${expiresAt.slice(0, 10)}`;
}

function invalid(message: string, hint = 'paceline token list, create TITLE or revoke ID'): PacelineError {
  return new PacelineError('PACELINE_REQUEST_INVALID', message, { hint });
}
