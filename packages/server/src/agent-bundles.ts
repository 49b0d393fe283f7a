import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The agents that machines may ask for, by their digest. They are kept in the state directory: a machine that an older or newer
 * server has launched finds its agent at whichever server answers.
 */
export class AgentBundles {
  readonly #folder: string;
  /** The one that new machines are told to fetch, SHA-256 in hexadecimal. */
  readonly current: string;

  private constructor(folder: string, current: string) {
    this.#folder = folder;
    this.current = current;
  }

  /** @param path the bundle that this server came with */
  static async open(folder: string, path: string): Promise<AgentBundles> {
    const text = await readFile(path);
    const bundles = new AgentBundles(folder, createHash('sha256').update(text).digest('hex'));
    if ((await bundles.find(bundles.current)) !== undefined) return bundles;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const staged = join(folder, `.${randomBytes(6).toString('hex')}`);
    await writeFile(staged, text, { mode: 0o600, flush: true });
    await rename(staged, bundles.#pathOf(bundles.current));
    return bundles;
  }

  /** The path of a bundle. @param digest SHA-256 in hexadecimal */
  async find(digest: string): Promise<string | undefined> {
    const path = this.#pathOf(digest);
    return access(path).then(
      () => path,
      () => undefined,
    );
  }

  #pathOf(digest: string): string {
    return join(this.#folder, `${digest}.cjs`);
  }
}
