import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { projectRoles, type CreatedToken, type ProjectRole, type TokenView, type UserView } from '@paceline/api';
import { iso, type Database, type Row, type Statement } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import { bounded, grantViews, operatorName, type Identity } from './roles.ts';

/** What a new token is to be. */
export interface NewToken {
  title: string;
  user: string;
  /** Milliseconds since the epoch; null for ever. */
  expiresAt: number | null;
  role: ProjectRole | null;
  project: string | null;
}

/** Whose time was over so long ago is not shown any more, nor told why he is not let in, in milliseconds. */
const expiredMs = 30 * 24 * 3_600_000;

const shape = /^plt_([0-9a-f]{16})_([\w-]{32})$/;

/** The people who may use a server, what they may do where, and their tokens, of which only hashes are kept. */
export class Accounts {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #portal: string | undefined;

  /** @param database as the engine has brought it to its schema. @param portal the name of the one that this server is part of */
  constructor(database: Database, now: () => number = Date.now, portal?: string) {
    this.#database = database;
    this.#now = now;
    this.#portal = portal;
  }

  async users(): Promise<UserView[]> {
    const rows = await this.#database.all('SELECT * FROM users ORDER BY name', []);
    const grants = await this.#database.all('SELECT * FROM grants', []);
    const byUser = Map.groupBy(grants, (row) => String(row['user_name']));
    return rows.map((row) => userOf(row, byUser.get(String(row['name'])) ?? []));
  }

  /** @throws PACELINE_NOT_FOUND */
  async user(name: string): Promise<UserView> {
    const [row] = await this.#database.all('SELECT * FROM users WHERE name = ?', [name]);
    if (row === undefined) throw noUser(name);
    return userOf(row, await this.#grantRows(name));
  }

  /**
   * Adds a user who may do nothing yet; one that is there already stays as it is.
   * @throws PACELINE_REQUEST_INVALID for a name that is in the records of runs already, for the operator's token or a portal
   */
  async add(name: string, by: string): Promise<UserView> {
    if (name === operatorName || name === this.#portal) {
      const who = name === operatorName ? "whoever has the operator's token" : 'the portal that this server is part of';
      throw new PacelineError('PACELINE_REQUEST_INVALID', `No user can be named ${name}: so is ${who}`, { hint: 'Choose another name.' });
    }
    const sql = 'INSERT INTO users (name, created_at, created_by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
    await this.#write({ sql, values: [name, this.#now(), by] });
    return this.user(name);
  }

  /** Removes a user with all grants and tokens. @throws PACELINE_NOT_FOUND */
  async remove(name: string): Promise<void> {
    await this.user(name);
    await this.#write({ sql: 'DELETE FROM users WHERE name = ?', values: [name] });
  }

  /** @throws PACELINE_NOT_FOUND */
  async grant(name: string, project: string, role: ProjectRole): Promise<UserView> {
    await this.user(name);
    await this.#write(granting(name, project, role));
    return this.user(name);
  }

  /** @throws PACELINE_NOT_FOUND */
  async revoke(name: string, project: string): Promise<UserView> {
    await this.#write(revoking(name, project));
    return this.user(name);
  }

  /**
   * Adds a user whom a login provider knows, if need be, and gives the roles that it stands for.
   * @param projects in which the provider alone says the roles
   * @param by the provider
   * @throws as `add`, and PACELINE_FORBIDDEN for the name of a user whom somebody else has added: that is another person
   */
  async enrol(name: string, grants: ReadonlyMap<string, ProjectRole>, projects: ReadonlySet<string>, by: string): Promise<void> {
    const { createdBy } = await this.add(name, by);
    if (createdBy !== by) {
      throw new PacelineError('PACELINE_FORBIDDEN', `${name} is the name of a user whom ${createdBy} has added, and not ${by}`, {
        hint: `If both are one person, an admin removes that user, who then comes back by the login: \`paceline user remove ${name}\`.`,
      });
    }
    await this.#write(
      ...[...projects].map((project) => {
        const role = grants.get(project);
        return role === undefined ? revoking(name, project) : granting(name, project, role);
      }),
    );
  }

  /** Who a user is, for sessions that a login provider stands for; undefined when it has no such user any more. */
  async enrolled(name: string, by: string): Promise<Identity | undefined> {
    const [row] = await this.#database.all('SELECT name FROM users WHERE name = ? AND created_by = ?', [name, by]);
    return row && { name, grants: grantsOf(await this.#grantRows(name)) };
  }

  /** @param user only those of this user */
  async tokens(user?: string): Promise<TokenView[]> {
    const where = user === undefined ? '' : 'WHERE user_name = ?';
    const rows = await this.#database.all(`SELECT * FROM tokens ${where} ORDER BY created_at, id`, user === undefined ? [] : [user]);
    return rows.map(tokenOf);
  }

  /** @throws PACELINE_NOT_FOUND */
  async token(id: string): Promise<TokenView> {
    const row = await this.#tokenRow(id);
    if (row === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `There is no token ${id}`);
    return tokenOf(row);
  }

  /** @throws PACELINE_NOT_FOUND when there is no such user */
  async createToken({ title, user, expiresAt, role, project }: NewToken, by: string): Promise<CreatedToken> {
    await this.user(user);
    const [id, secret] = [randomBytes(8).toString('hex'), randomBytes(24).toString('base64url')];
    const now = this.#now();
    await this.#write(
      { sql: 'DELETE FROM tokens WHERE expires_at < ?', values: [now - expiredMs] },
      {
        sql: 'INSERT INTO tokens (id, user_name, title, hash, created_at, created_by, expires_at, role, project) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        values: [id, user, title, hashOf(secret), now, by, expiresAt, role, project],
      },
    );
    return { ...(await this.token(id)), token: `plt_${id}_${secret}` };
  }

  async revokeToken(id: string): Promise<void> {
    await this.#write({ sql: 'DELETE FROM tokens WHERE id = ?', values: [id] });
  }

  /** Whose token this is; undefined when it is none, or revoked. @throws PACELINE_UNAUTHENTICATED when its time is over */
  async find(token: string): Promise<Identity | undefined> {
    const [, id, secret] = shape.exec(token) ?? [];
    const row = id === undefined || secret === undefined ? undefined : await this.#tokenRow(id);
    if (row === undefined || secret === undefined) return undefined;
    if (!timingSafeEqual(Buffer.from(String(row['hash'])), Buffer.from(hashOf(secret)))) return undefined;
    return this.#identity(row);
  }

  /** Whose token has this id, for sessions that were begun with it; undefined when it was revoked. @throws as `find` */
  async byTokenId(id: string): Promise<Identity | undefined> {
    const row = await this.#tokenRow(id);
    return row && this.#identity(row);
  }

  async #identity(row: Row): Promise<Identity> {
    const { id, user, role, project } = tokenOf(row);
    const expiresAt = row['expires_at'] === null ? null : Number(row['expires_at']);
    if (expiresAt !== null && expiresAt <= this.#now()) {
      throw new PacelineError('PACELINE_UNAUTHENTICATED', 'The time of this token is over', {
        hint: 'Make a new one: `paceline token create`.',
      });
    }
    const grants = bounded(grantsOf(await this.#grantRows(user)), { role, project });
    return { name: user, grants, token: { id, expiresAt, restricted: role !== null || project !== null } };
  }

  #grantRows(user: string): Promise<Row[]> {
    return this.#database.all('SELECT * FROM grants WHERE user_name = ?', [user]);
  }

  async #tokenRow(id: string): Promise<Row | undefined> {
    return (await this.#database.all('SELECT * FROM tokens WHERE id = ?', [id]))[0];
  }

  #write(...statements: Statement[]): Promise<void> {
    return this.#database.transaction(statements);
  }
}

function granting(name: string, project: string, role: ProjectRole): Statement {
  const sql =
    'INSERT INTO grants (user_name, project, role) VALUES (?, ?, ?) ON CONFLICT (user_name, project) DO UPDATE SET role = excluded.role';
  return { sql, values: [name, project, role] };
}

function revoking(name: string, project: string): Statement {
  return { sql: 'DELETE FROM grants WHERE user_name = ? AND project = ?', values: [name, project] };
}

function userOf(row: Row, grants: Row[]): UserView {
  return {
    name: String(row['name']),
    createdAt: iso(Number(row['created_at'])),
    createdBy: String(row['created_by']),
    grants: grantViews(grantsOf(grants)),
  };
}

function grantsOf(rows: Row[]): Map<string, ProjectRole> {
  // A role of a newer version is no reason to let somebody in.
  return new Map(rows.flatMap((row) => projectRoles.filter((role) => role === row['role']).map((role) => [String(row['project']), role])));
}

function tokenOf(row: Row): TokenView {
  return {
    id: String(row['id']),
    title: String(row['title']),
    user: String(row['user_name']),
    createdAt: iso(Number(row['created_at'])),
    createdBy: String(row['created_by']),
    expiresAt: row['expires_at'] === null ? null : iso(Number(row['expires_at'])),
    role: row['role'] === null ? null : (projectRoles.find((role) => role === row['role']) ?? 'viewer'),
    project: row['project'] === null ? null : String(row['project']),
  };
}

/** The secret is random and long: a fast hash is enough, and salt would be for nothing. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function noUser(name: string): PacelineError {
  return new PacelineError('PACELINE_NOT_FOUND', `There is no user ${name}`, { hint: '`paceline user list` shows all.' });
}
