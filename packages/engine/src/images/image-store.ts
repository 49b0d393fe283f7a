import type { Database, Row } from '../store/database.ts';

/** An image that was built, as the store keeps it. */
export interface BuiltImage {
  cloud: string;
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

const columns = 'cloud, digest, module, image, resource, login, run, made_at, used_at, pinned';

/** The images that were built: one for each content on each cloud. */
export class ImageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Repeated, it changes nothing. */
  put(image: BuiltImage): Promise<void> {
    const { cloud, digest, module, image: name, resource, login, run, madeAt, usedAt, pinned } = image;
    const values = [cloud, digest, module, name, resource, login, run, madeAt, usedAt, pinned ? 1 : 0];
    const sql = `INSERT INTO images (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
    return this.#database.transaction([{ sql, values }]);
  }

  async find(cloud: string, digest: string): Promise<BuiltImage | undefined> {
    const [row] = await this.#database.all(`SELECT ${columns} FROM images WHERE cloud = ? AND digest = ?`, [cloud, digest]);
    return row && builtImage(row);
  }

  /** The run that builds it now. */
  async builder(cloud: string, digest: string): Promise<string | undefined> {
    const [row] = await this.#database.all('SELECT run FROM builds WHERE cloud = ? AND digest = ?', [cloud, digest]);
    return row && String(row['run']);
  }

  /** The newest first. */
  async list(): Promise<BuiltImage[]> {
    return (await this.#database.all(`SELECT ${columns} FROM images ORDER BY made_at DESC, cloud, digest`, [])).map(builtImage);
  }

  touch({ cloud, digest }: Pick<BuiltImage, 'cloud' | 'digest'>, now: number): Promise<void> {
    return this.#write('UPDATE images SET used_at = ? WHERE cloud = ? AND digest = ?', now, cloud, digest);
  }

  pin({ cloud, digest }: Pick<BuiltImage, 'cloud' | 'digest'>, pinned: boolean): Promise<void> {
    return this.#write('UPDATE images SET pinned = ? WHERE cloud = ? AND digest = ?', pinned ? 1 : 0, cloud, digest);
  }

  remove({ cloud, digest }: Pick<BuiltImage, 'cloud' | 'digest'>): Promise<void> {
    return this.#write('DELETE FROM images WHERE cloud = ? AND digest = ?', cloud, digest);
  }

  #write(sql: string, ...values: (string | number)[]): Promise<void> {
    return this.#database.transaction([{ sql, values }]);
  }
}

function builtImage(row: Row): BuiltImage {
  return {
    cloud: String(row['cloud']),
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
