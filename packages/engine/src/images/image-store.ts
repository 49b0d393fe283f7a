import { everyProject } from '@paceline/api';
import { isPacelineError } from '@paceline/model';
import type { Database, Row, Statement } from '../store/database.ts';

/** An image that was built, as the store keeps it. */
export interface BuiltImage {
  /** Whose machines boot it; `*` for everybody's. */
  project: string;
  cloud: string;
  /** Where it is there, as its connector calls it; null where there are no accounts. */
  account: string | null;
  /** Of what is in it. */
  digest: string;
  module: string;
  /** What a launch names it by. */
  image: string;
  /** What it is removed by. */
  resource: string;
  login: string | null;
  /** The run that made it. */
  run: string;
  /** Milliseconds since the epoch. */
  madeAt: number;
  usedAt: number;
  pinned: boolean;
}

/** What tells one image from all others. */
type Key = Pick<BuiltImage, 'project' | 'cloud' | 'digest'>;

const columns = 'project, cloud, account, digest, module, image, resource, login, run, made_at, used_at, pinned';
const whereKey = 'WHERE project = ? AND cloud = ? AND digest = ?';

/** The images that were built: one for each content on each cloud, for everybody and for each project. */
export class ImageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Repeated, it changes nothing. */
  put(image: BuiltImage): Promise<void> {
    return this.#database.transaction([insertImage(image)]);
  }

  /** What machines of a project boot: first of all what is everybody's. */
  async find({ project, cloud, digest }: Key): Promise<BuiltImage | undefined> {
    const [row] = await this.#database.all(
      `SELECT ${columns} FROM images WHERE project IN (?, ?) AND cloud = ? AND digest = ? ORDER BY CASE WHEN project = ? THEN 0 ELSE 1 END LIMIT 1`,
      [everyProject, project, cloud, digest, everyProject],
    );
    return row && builtImage(row);
  }

  /** The run of the project that builds it now. */
  async builder({ project, cloud, digest }: Key): Promise<string | undefined> {
    const [row] = await this.#database.all('SELECT run FROM builds WHERE project = ? AND cloud = ? AND digest = ?', [
      project,
      cloud,
      digest,
    ]);
    return row && String(row['run']);
  }

  /** The newest first. */
  async list(): Promise<BuiltImage[]> {
    return (await this.#database.all(`SELECT ${columns} FROM images ORDER BY made_at DESC, cloud, digest, project`, [])).map(builtImage);
  }

  /** What the images of a cloud are removed by. */
  async resources(cloud: string): Promise<Set<string>> {
    const rows = await this.#database.all('SELECT resource FROM images WHERE cloud = ?', [cloud]);
    return new Set(rows.map(({ resource }) => String(resource)));
  }

  touch({ project, cloud, digest }: Key, now: number): Promise<void> {
    return this.#write(`UPDATE images SET used_at = ? ${whereKey}`, now, project, cloud, digest);
  }

  /** @returns false when it is not there any more */
  pin({ project, cloud, digest, resource }: Key & Pick<BuiltImage, 'resource'>, pinned: boolean): Promise<boolean> {
    const values = [pinned ? 1 : 0, project, cloud, digest, resource];
    return this.#unlessChanged(`UPDATE images SET pinned = ? ${whereKey} AND resource = ?`, values);
  }

  /** @returns false, without having removed it, when it is pinned or not there any more */
  remove({ project, cloud, digest, resource }: Key & Pick<BuiltImage, 'resource'>): Promise<boolean> {
    return this.#unlessChanged(`DELETE FROM images ${whereKey} AND resource = ? AND pinned = 0`, [project, cloud, digest, resource]);
  }

  /** @returns false when there is no such row any more */
  async #unlessChanged(sql: string, values: (string | number)[]): Promise<boolean> {
    try {
      await this.#database.transaction([{ sql, values, mustChange: 1 }]);
      return true;
    } catch (error) {
      if (isPacelineError(error) && error.code === 'PACELINE_CONFLICT') return false;
      throw error;
    }
  }

  #write(sql: string, ...values: (string | number)[]): Promise<void> {
    return this.#database.transaction([{ sql, values }]);
  }
}

/** Where there is one of the same content already, that one stays. */
export function insertImage(image: BuiltImage): Statement {
  const { project, cloud, account, digest, module, image: name, resource, login, run, madeAt, usedAt, pinned } = image;
  const values = [project, cloud, account, digest, module, name, resource, login, run, madeAt, usedAt, pinned ? 1 : 0];
  return { sql: `INSERT INTO images (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, values };
}

function builtImage(row: Row): BuiltImage {
  return {
    project: String(row['project']),
    cloud: String(row['cloud']),
    account: row['account'] === null ? null : String(row['account']),
    digest: String(row['digest']),
    module: String(row['module']),
    image: String(row['image']),
    resource: String(row['resource']),
    login: row['login'] === null ? null : String(row['login']),
    run: String(row['run']),
    madeAt: Number(row['made_at']),
    usedAt: Number(row['used_at']),
    pinned: row['pinned'] === 1,
  };
}
