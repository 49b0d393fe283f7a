import { createHash, randomUUID } from 'node:crypto';
import { access, cp, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { hasCode, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import { complaintOf } from './complaint.ts';
import { readRecord } from './machine-record.ts';
import { staleMs, type Site } from './site.ts';
import type { Tool } from './tool.ts';

/** What `init` makes. */
const [providers, lockFile] = ['.terraform', '.terraform.lock.hcl'];
const mostFiles = 1000;
const mostBytes = 50 * 1024 * 1024;
/** Providers are fetched then; some are of hundreds of megabytes. */
const initMs = 20 * 60_000;
/** Whatever the module says of where its state should be: each machine is a workspace, and its folder that of the workspace. */
const override = JSON.stringify({ terraform: { backend: { local: { workspace_dir: '../../machines' } } } });

/** What of a folder belongs to its module: not what the tool has put there. */
function isPart(path: string): boolean {
  return !/(^|\/)(\.terraform|\.git|node_modules)(\/|$)|\.tfstate(\..*)?$|(^|\/)crash\.log$/.test(path);
}

/** The name of a module's copy: a digest of all that is in it. @throws ConnectorError invalid */
export async function moduleKey(folder: string): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  const files = await filesOf(folder);
  if (!files.some((path) => /\.(tf|tofu)(\.json)?$/.test(path))) {
    throw new ConnectorError('invalid', `There is no module in ${folder}: it has no file *.tf`, {
      hint: 'Set `module` to the folder of one.',
    });
  }
  for (const path of files) {
    const content = await readFile(join(folder, path));
    bytes += content.length;
    if (bytes > mostBytes) throw new ConnectorError('invalid', `The module in ${folder} is larger than ${mostBytes} bytes`);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 20);
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new ConnectorError('invalid', `The module in ${folder} cannot be read: ${String(cause)}`, { cause });
  });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const own = paths.filter(isPart).toSorted();
  if (own.length > mostFiles) throw new ConnectorError('invalid', `The module in ${folder} has more than ${mostFiles} files`);
  return own;
}

/**
 * Copies of modules, each with its providers. A machine is ended by the same copy that has made it, whatever becomes of the original.
 */
export class ModuleCopies {
  readonly #site: Site;
  readonly #tool: Tool;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(site: Site, tool: Tool) {
    this.#site = site;
    this.#tool = tool;
  }

  path(key: string): string {
    return join(this.#site.modules, key);
  }

  /** Copies what is there now, without its providers yet. @returns the name of the copy */
  async take(folder: string): Promise<string> {
    const key = await moduleKey(folder);
    const copy = this.path(key);
    if (await isThere(copy)) {
      const now = new Date();
      await utimes(copy, now, now);
      return key;
    }
    const staged = join(this.#site.staging, `module-${randomUUID()}`);
    await mkdir(staged, { mode: 0o700 });
    try {
      await cp(folder, staged, { recursive: true, verbatimSymlinks: true, filter: (source) => isPart(relative(folder, source)) });
      await writeFile(join(staged, 'paceline_override.tf.json'), override);
      await rename(staged, copy);
    } catch (error) {
      await rm(staged, { recursive: true, force: true });
      // Somebody else was quicker with the same.
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
    return key;
  }

  /** Fetches the providers of a copy, once. @throws ConnectorError with what the tool says */
  ready(key: string): Promise<void> {
    const running = this.#underWay.get(key);
    if (running !== undefined) return running;
    const work = this.#init(key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, work);
    return work;
  }

  /** Removes copies that no machine stands on, with their providers, which may be large. */
  async sweep(now: number): Promise<void> {
    const machines = await readdir(this.#site.machines);
    const records = await Promise.all(machines.map((id) => readRecord(join(this.#site.machines, id))));
    const inUse = new Set(records.map((record) => record?.module));
    for (const key of await readdir(this.#site.modules)) {
      const found = await unlessMissing(stat(this.path(key)));
      if (inUse.has(key) || found === undefined || found.mtimeMs > now - staleMs) continue;
      const gone = join(this.#site.staging, `module-${randomUUID()}`);
      // Another engine may be at the same.
      await unlessMissing(rename(this.path(key), gone));
      await rm(gone, { recursive: true, force: true });
    }
  }

  /** Elsewhere, and then moved into place: two that are at it at once, from whatever process, do not meet. */
  async #init(key: string): Promise<void> {
    const copy = this.path(key);
    if (await isThere(join(copy, providers))) return;
    const staged = join(this.#site.staging, `module-${randomUUID()}`);
    try {
      await cp(copy, staged, { recursive: true, verbatimSymlinks: true });
      const { code, output } = await this.#tool.run([`-chdir=${staged}`, 'init', '-input=false', '-no-color'], AbortSignal.timeout(initMs));
      if (code !== 0) {
        throw new ConnectorError('invalid', `The module cannot be made ready: ${complaintOf(firstError(output), [])}`, {
          hint: `Try \`${this.#tool.path} init\` in its folder. It has to be whole: what lies outside of it is not copied.`,
        });
      }
      await unlessMissing(rename(join(staged, lockFile), join(copy, lockFile)));
      await rename(join(staged, providers), join(copy, providers)).catch((error: unknown) => {
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
      });
    } finally {
      await rm(staged, { recursive: true, force: true });
    }
  }
}

/** `init` of older versions writes no JSON. */
function firstError(output: string): string {
  const at = output.indexOf('Error:');
  return (at < 0 ? output : output.slice(at)).replaceAll(/[│╷╵]/g, ' ').replaceAll(/\s+/g, ' ');
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
