import { everyProject, projectRoles, type Client, type ProjectRole, type UserView } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { harmlessLine } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';

export interface UserOptions extends GlobalOptions {
  role: string;
  project: string;
  json?: boolean;
}

/** `paceline user list|add|grant|revoke|remove`: who may use a server, and as what in which project. */
export async function userCommand([action = '', name = '']: string[], options: UserOptions, shell: Shell): Promise<number> {
  if (!['list', 'add', 'grant', 'revoke', 'remove'].includes(action)) throw invalid(`'${action}' is nothing that is done with users`);
  if (action !== 'list' && name === '') throw invalid('Which user?');
  const users = await changed(await connect(options, shell), action, name, options);
  if (options.json === true) shell.stdout.write(`${JSON.stringify(users)}\n`);
  else if (action === 'remove') say(shell, `${name} is no user any more`);
  else for (const user of users) shell.stdout.write(`${line(user)}\n`);
  return 0;
}

async function changed({ accounts }: Client, action: string, name: string, { role, project }: UserOptions): Promise<UserView[]> {
  if (action === 'list') return accounts.users();
  if (action === 'revoke') return [await accounts.revoke(name, project)];
  if (action === 'remove') {
    await accounts.removeUser(name);
    return [];
  }
  const wanted = roleOf(role);
  if (action === 'add') await accounts.addUser(name);
  return [await accounts.grant(name, project, wanted)];
}

/** @throws PACELINE_REQUEST_INVALID */
export function roleOf(text: string): ProjectRole {
  const role = projectRoles.find((each) => each === text);
  if (role === undefined) throw invalid(`'${text}' is no role`, `Roles are ${projectRoles.join(', ')}.`);
  return role;
}

function line({ name, grants }: UserView): string {
  const roles = grants.map(({ project, role }) => `${role} ${project === everyProject ? 'everywhere' : `in ${harmlessLine(project)}`}`);
  return `${harmlessLine(name)}  ${roles.length === 0 ? 'no role' : roles.join(', ')}`;
}

function invalid(message: string, hint = 'paceline user list, add NAME, grant NAME, revoke NAME or remove NAME'): PacelineError {
  return new PacelineError('PACELINE_REQUEST_INVALID', message, { hint });
}
