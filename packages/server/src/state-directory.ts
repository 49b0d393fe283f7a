import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Everything that a server keeps, in one folder that only its user can read. */
export class StateDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async open(path: string): Promise<StateDirectory> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    return new StateDirectory(path);
  }

  get database(): string {
    return join(this.path, 'paceline.sqlite');
  }

  /** The agents of all servers that have used this folder. */
  get agents(): string {
    return join(this.path, 'agents');
  }

  get reports(): string {
    return join(this.path, 'reports');
  }

  /** 32 bytes that never leave this folder: one-time secrets and the encryption of parameters come from them. */
  async key(): Promise<Buffer> {
    return Buffer.from(await this.#once('engine.key', () => randomBytes(32).toString('hex')), 'hex');
  }

  /** The token that opens everything on this server. */
  operatorToken(): Promise<string> {
    return this.#once('operator.token', () => `plo_${randomBytes(24).toString('base64url')}`);
  }

  /** The port that the last server on this state listened on. */
  async lastPort(): Promise<number | undefined> {
    const text = await readFile(join(this.path, 'port'), 'utf8').catch(() => '');
    return /^\d+$/.test(text) ? Number(text) : undefined;
  }

  async rememberPort(port: number): Promise<void> {
    await writeFile(join(this.path, 'port'), String(port), { mode: 0o600 });
  }

  /** The text of a file that appears whole or not at all: others may start at this moment, and this process may be killed. */
  async #once(name: string, make: () => string): Promise<string> {
    const path = join(this.path, name);
    const found = await readFile(path, 'utf8').catch(unless('ENOENT'));
    if (found !== undefined) return found.trim();
    const staged = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
    await writeFile(staged, make(), { mode: 0o600, flush: true });
    await link(staged, path).catch(unless('EEXIST'));
    await rm(staged);
    return (await readFile(path, 'utf8')).trim();
  }
}

/** Takes an error of this code for nothing. */
function unless(code: string): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
