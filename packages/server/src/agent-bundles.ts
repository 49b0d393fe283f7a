import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setupScript } from '@paceline/engine';
import { findNodeRuntime, type NodeRuntime } from './node-runtime.ts';

/**
 * What machines may ask for, by its digest: agents, the script that sets them up, and the server's own Node.js. The first two are kept in the state directory: a machine that an older or newer
 * server has launched finds its agent at whichever server answers.
 */
export class AgentBundles {
  readonly #folder: string;
  /** The one that new machines are told to fetch, SHA-256 in hexadecimal. */
  readonly current: string;
  #runtime: Promise<NodeRuntime | undefined> | undefined;

  private constructor(folder: string, current: string) {
    this.#folder = folder;
    this.current = current;
  }

  /** @param path the bundle that this server came with */
  static async open(folder: string, path: string): Promise<AgentBundles> {
    const text = await readFile(path);
    const bundles = new AgentBundles(folder, createHash('sha256').update(text).digest('hex'));
    await bundles.#keep(text);
    await bundles.#keep(Buffer.from(setupScript));
    return bundles;
  }

  /** The Node.js of this server, if machines could use it. Its digest takes a while to work out, when it is first asked for. */
  runtime(): Promise<NodeRuntime | undefined> {
    this.#runtime ??= findNodeRuntime(join(this.#folder, 'node-runtime.json')).catch(() => undefined);
    return this.#runtime;
  }

  /** The path of a file. @param digest SHA-256 in hexadecimal */
  async find(digest: string): Promise<string | undefined> {
    const path = this.#pathOf(digest);
    return access(path).then(
      () => path,
      async () => {
        const runtime = await this.runtime();
        return runtime?.sha256 === digest ? runtime.path : undefined;
      },
    );
  }

  async #keep(content: Buffer): Promise<void> {
    const digest = createHash('sha256').update(content).digest('hex');
    const path = this.#pathOf(digest);
    if (existsSync(path)) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const staged = join(this.#folder, `.${randomBytes(6).toString('hex')}`);
    await writeFile(staged, content, { mode: 0o600, flush: true });
    await rename(staged, path);
  }

  #pathOf(digest: string): string {
    return join(this.#folder, `${digest}.cjs`);
  }
}
