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
  /** Of what is in it: the recipe, and what the name of its native image meant. */
  digest: string;
  /** Of what it is made by. Runs look for it: they boot what was built, whatever that name means by now. */
  recipe: string;
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
  /** When its cloud was found not to have it any more: nobody boots it. */
  lostAt: number | null;
}

/** What tells one image from all others. */
type Key = Pick<BuiltImage, 'project' | 'cloud' | 'digest'>;

const columns = 'project, cloud, account, digest, recipe, module, image, resource, login, run, made_at, used_at, pinned, lost_at';
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

  /** What has exactly this in it and is there for a project: first of all what is everybody's. */
  find({ project, cloud, digest }: Key): Promise<BuiltImage | undefined> {
    return this.#first('digest', { project, cloud, value: digest });
  }

  /** What machines of a project boot: of what is everybody's, else of its own, the newest. */
  newest({ project, cloud, recipe }: Pick<BuiltImage, 'project' | 'cloud' | 'recipe'>): Promise<BuiltImage | undefined> {
    return this.#first('recipe', { project, cloud, value: recipe });
  }

  async #first(
    column: 'digest' | 'recipe',
    { project, cloud, value }: { project: string; cloud: string; value: string },
  ): Promise<BuiltImage | undefined> {
    const everybodysFirst = 'CASE WHEN project = ? THEN 0 ELSE 1 END, made_at DESC';
    const [row] = await this.#database.all(
      `SELECT ${columns} FROM images WHERE project IN (?, ?) AND cloud = ? AND ${column} = ? AND lost_at IS NULL ORDER BY ${everybodysFirst} LIMIT 1`,
      [everyProject, project, cloud, value, everyProject],
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

  /** Its cloud does not have it any more: nobody boots it, and the next build makes it anew. */
  lost({ cloud, digest, image }: Pick<BuiltImage, 'cloud' | 'digest' | 'image'>, now: number): Promise<void> {
    return this.#write(
      'UPDATE images SET lost_at = ? WHERE cloud = ? AND digest = ? AND image = ? AND lost_at IS NULL',
      now,
      cloud,
      digest,
      image,
    );
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

/** Where there is one of the same content already, that one stays, unless it was lost. */
export function insertImage(image: BuiltImage): Statement {
  const { project, cloud, account, digest, recipe, module, image: name, resource, login, run, madeAt, usedAt, pinned, lostAt } = image;
  const values = [project, cloud, account, digest, recipe, module, name, resource, login, run, madeAt, usedAt, pinned ? 1 : 0, lostAt];
  const places = values.map(() => '?').join(', ');
  const renewed = ['account', 'image', 'resource', 'login', 'run', 'made_at', 'used_at', 'lost_at'];
  const anew = `${renewed.map((column) => `${column} = excluded.${column}`).join(', ')} WHERE images.lost_at IS NOT NULL`;
  return {
    sql: `INSERT INTO images (${columns}) VALUES (${places}) ON CONFLICT (project, cloud, digest) DO UPDATE SET ${anew}`,
    values,
  };
}

function builtImage(row: Row): BuiltImage {
  return {
    project: String(row['project']),
    cloud: String(row['cloud']),
    account: row['account'] === null ? null : String(row['account']),
    digest: String(row['digest']),
    recipe: String(row['recipe']),
    module: String(row['module']),
    image: String(row['image']),
    resource: String(row['resource']),
    login: row['login'] === null ? null : String(row['login']),
    run: String(row['run']),
    madeAt: Number(row['made_at']),
    usedAt: Number(row['used_at']),
    pinned: row['pinned'] === 1,
    lostAt: row['lost_at'] === null ? null : Number(row['lost_at']),
  };
}
