import {
  canonicalJson,
  isPacelineError,
  machineNode,
  PacelineError,
  type ModuleReference,
  parseModuleReference,
  type ResolvedDeployment,
} from '@paceline/model';
import type { Database, Row, Statement } from '../store/database.ts';

/** One version of a published module, as lists show it. */
export interface PublishedModule {
  name: string;
  /** Counts from 1; a number is not used again, also when its version was deleted. */
  version: number;
  digest: string;
  kind: 'Deployment' | 'Image';
  title: string;
  description: string;
  tags: string[];
  author: string;
  comment: string;
  /** Of the files, in their version control; empty when nobody said. */
  commit: string;
  /** Milliseconds since the epoch. */
  publishedAt: number;
  /** Why it should not be used any more. */
  deprecated: string | null;
  /** The channels that it was promoted to. */
  channels: string[];
}

/** What somebody publishes. */
export interface Publication {
  name: string;
  deployment: ResolvedDeployment;
  author: string;
  comment: string;
  commit: string;
}

const shown = 'name, version, digest, kind, title, description, tags, author, note, revision, published_at, deprecated';

/** The published modules: every version whole, with nothing left to look up. */
export class ModuleStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Makes a new version. What is the newest version already, word by word, is not published again, so a request whose answer was lost may
   * be repeated; its comment and commit stay those that it has.
   * @param deployment with the digests that its content has
   */
  async publish({ name, deployment, author, comment, commit }: Publication, now: number): Promise<PublishedModule> {
    const { kind, title = '', description = '', tags } = deployment;
    // Files that refer to an image pin it by its own digest, not by that of the run that it makes by itself.
    const digest = (kind === 'Image' ? deployment.nodes[machineNode]?.image.digest : undefined) ?? deployment.digest;
    const content = JSON.stringify(deployment);
    // What is written for people counts, too: the digest knows nothing of it.
    const words = canonicalJson(JSON.parse(content));
    for (;;) {
      const [last] = await this.#rows('WHERE name = ? ORDER BY version DESC LIMIT 1', [name], 'content, ');
      const isSame = last !== undefined && last['content'] !== null && canonicalJson(JSON.parse(String(last['content']))) === words;
      if (isSame && last['deprecated'] === null) return this.find({ name, version: Number(last['version']) });
      const version = Number(last?.['version'] ?? 0) + 1;
      const values = [name, version, digest, kind, title, description, JSON.stringify(tags), author, comment, commit, now, null];
      const insert = {
        sql: `INSERT INTO modules (${shown}, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        values: [...values, content],
        mustChange: 1,
      };
      try {
        await this.#database.transaction([insert]);
      } catch (error) {
        // Somebody else has published at the same moment.
        if (isPacelineError(error) && error.code === 'PACELINE_CONFLICT') continue;
        throw error;
      }
      return this.find({ name, version });
    }
  }

  /** The newest version of every module that is not deprecated, by name: the app store. */
  async list(): Promise<PublishedModule[]> {
    const newest =
      'version = (SELECT MAX(version) FROM modules AS others WHERE others.name = modules.name AND content IS NOT NULL AND deprecated IS NULL)';
    return this.#modules(await this.#rows(`WHERE ${newest} ORDER BY name`, []));
  }

  /** Every version that is a channel's. */
  async promoted(): Promise<PublishedModule[]> {
    const isChannels = 'EXISTS (SELECT 1 FROM channels WHERE module = name AND channels.version = modules.version)';
    return this.#modules(await this.#rows(`WHERE ${isChannels} ORDER BY name, version`, []));
  }

  /** Every version of every image that is not deprecated. */
  async images(): Promise<PublishedModule[]> {
    const usable = "kind = 'Image' AND content IS NOT NULL AND deprecated IS NULL";
    return this.#modules(await this.#rows(`WHERE ${usable} ORDER BY name, version DESC`, []));
  }

  /** All versions of a module, the newest first. @throws PACELINE_NOT_FOUND */
  async versions(name: string): Promise<PublishedModule[]> {
    const rows = await this.#rows('WHERE name = ? AND content IS NOT NULL ORDER BY version DESC', [name]);
    if (rows.length === 0) throw missing({ name });
    return this.#modules(rows);
  }

  /** The version that is meant. A floating reference means the newest that is not deprecated. @throws PACELINE_NOT_FOUND */
  async find(reference: ModuleReference): Promise<PublishedModule> {
    const [module] = await this.#modules([await this.#find(reference, '')]);
    if (module === undefined) throw missing(reference);
    return module;
  }

  /** What a version is. @throws PACELINE_NOT_FOUND */
  async content(reference: ModuleReference): Promise<{ module: PublishedModule; deployment: ResolvedDeployment }> {
    const row = await this.#find(reference, 'content, ');
    const [module] = await this.#modules([row]);
    if (module === undefined) throw missing(reference);
    return { module, deployment: JSON.parse(String(row['content'])) as ResolvedDeployment };
  }

  /** Publishes a version under another name. @throws PACELINE_NOT_FOUND, PACELINE_REQUEST_INVALID */
  async copy(reference: ModuleReference, name: string, author: string, now: number): Promise<PublishedModule> {
    const { module, deployment } = await this.content(reference);
    const { name: valid } = parseModuleReference(name);
    return this.publish(
      { name: valid, deployment, author, comment: `Copy of ${module.name}@${module.version}`, commit: module.commit },
      now,
    );
  }

  /** @param reason null takes it back. @throws PACELINE_NOT_FOUND */
  async deprecate(reference: ModuleReference, reason: string | null): Promise<PublishedModule> {
    const { name, version } = await this.find(exact(reference));
    await this.#database.transaction([
      { sql: 'UPDATE modules SET deprecated = ? WHERE name = ? AND version = ?', values: [reason, name, version] },
    ]);
    return this.find({ name, version });
  }

  /** Makes a version the one that a channel means from now on. @throws PACELINE_NOT_FOUND */
  async promote(reference: ModuleReference, channel: string): Promise<PublishedModule> {
    const { name, version } = await this.find(exact(reference));
    const there = 'FROM modules WHERE name = ? AND version = ? AND content IS NOT NULL';
    await this.#database.transaction([
      hold(name, version),
      {
        sql: `INSERT INTO channels (module, channel, version) SELECT name, ?, version ${there}
          ON CONFLICT (module, channel) DO UPDATE SET version = excluded.version`,
        values: [channel, name, version],
        mustChange: 1,
      },
    ]);
    return this.find({ name, version });
  }

  /** Ends a channel: nobody finds anything under it any more. @throws PACELINE_NOT_FOUND */
  async demote(name: string, channel: string): Promise<void> {
    await this.find({ name, channel });
    await this.#database.transaction([{ sql: 'DELETE FROM channels WHERE module = ? AND channel = ?', values: [name, channel] }]);
  }

  /** Deletes a version for good; only its number stays taken. @throws PACELINE_NOT_FOUND, PACELINE_CONFLICT while a channel means it */
  async remove(reference: ModuleReference): Promise<void> {
    const { name, version, channels } = await this.find(exact(reference));
    if (channels.length > 0)
      throw new PacelineError('PACELINE_CONFLICT', `${name}@${version} is what ${name}@${channels.join(', @')} means`, {
        hint: `Promote another version, or end the channel: paceline modules ${name} --demote ${channels[0]}`,
      });
    const free = 'NOT EXISTS (SELECT 1 FROM channels WHERE module = name AND channels.version = modules.version)';
    await this.#database.transaction([
      hold(name, version),
      { sql: `UPDATE modules SET content = NULL WHERE name = ? AND version = ? AND ${free}`, values: [name, version], mustChange: 1 },
    ]);
  }

  async #find(reference: ModuleReference, also: string): Promise<Row> {
    const { name, version, channel, digest } = reference;
    const find = async (condition: string, ...values: (string | number)[]): Promise<Row | undefined> =>
      (
        await this.#rows(`WHERE name = ? AND content IS NOT NULL AND ${condition} ORDER BY version DESC LIMIT 1`, [name, ...values], also)
      )[0];
    const row =
      version !== undefined
        ? await find('version = ?', version)
        : channel !== undefined
          ? await find('version = (SELECT channels.version FROM channels WHERE module = name AND channel = ?)', channel)
          : digest !== undefined
            ? await find('digest = ?', digest)
            : await find('deprecated IS NULL');
    if (row !== undefined) return row;
    const [newest] = isExact(reference)
      ? []
      : await this.#rows('WHERE name = ? AND content IS NOT NULL ORDER BY version DESC LIMIT 1', [name]);
    if (newest === undefined) throw missing(reference);
    throw new PacelineError('PACELINE_NOT_FOUND', `Every version of ${name} is deprecated`, {
      hint: `Name one of them, such as ${name}@${String(newest['version'])}; \`paceline modules ${name}\` shows all.`,
    });
  }

  async #modules(rows: Row[]): Promise<PublishedModule[]> {
    const channels = await this.#database.all('SELECT module, channel, version FROM channels ORDER BY channel', []);
    return rows.map((row) => {
      const own = channels.filter(({ module, version }) => module === row['name'] && Number(version) === Number(row['version']));
      return { ...published(row), channels: own.map(({ channel }) => String(channel)) };
    });
  }

  #rows(where: string, values: (string | number)[], also = ''): Promise<Row[]> {
    return this.#database.all(`SELECT ${also}${shown} FROM modules ${where}`, values);
  }
}

function isExact({ version, channel, digest }: ModuleReference): boolean {
  return version !== undefined || channel !== undefined || digest !== undefined;
}

/** What changes a version has to say which. @throws PACELINE_REQUEST_INVALID */
function exact(reference: ModuleReference): ModuleReference {
  if (isExact(reference)) return reference;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `Say which version of ${reference.name}`, { hint: `Such as ${reference.name}@3.` });
}

/**
 * Has whoever promotes or deletes a version wait for each other: each looks at what the other writes, and on PostgreSQL a statement sees
 * only what was stored before it began.
 */
function hold(name: string, version: number): Statement {
  const sql = 'UPDATE modules SET version = version WHERE name = ? AND version = ? AND content IS NOT NULL';
  return { sql, values: [name, version], mustChange: 1 };
}

function missing({ name, version, channel, digest }: ModuleReference): PacelineError {
  const pin = version ?? channel ?? (digest === undefined ? undefined : `sha256:${digest}`);
  return new PacelineError('PACELINE_NOT_FOUND', `There is no published module ${name}${pin === undefined ? '' : `@${pin}`}`, {
    hint: '`paceline modules` shows all.',
  });
}

function published(row: Row): Omit<PublishedModule, 'channels'> {
  return {
    name: String(row['name']),
    version: Number(row['version']),
    digest: String(row['digest']),
    kind: row['kind'] === 'Image' ? 'Image' : 'Deployment',
    title: String(row['title']),
    description: String(row['description']),
    tags: JSON.parse(String(row['tags'])) as string[],
    author: String(row['author']),
    comment: String(row['note']),
    commit: String(row['revision']),
    publishedAt: Number(row['published_at']),
    deprecated: row['deprecated'] === null ? null : String(row['deprecated']),
  };
}
