import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { flushDirectory, hasCode, unlessMissing, writeDurably } from '@paceline/connector-host';
import type { LaunchRequest, Machine } from '@paceline/engine/connector';
import * as z from 'zod';

const letterSchema = z.object({ key: z.string(), userData: z.string(), expiresAt: z.iso.datetime() });

/** The user data of a machine that has not got it yet. */
export interface Letter {
  /** The same for the same machine of a launch. */
  key: string;
  userData: Uint8Array;
}

/**
 * User data on its way to machines whose cloud does not hand it over: on disk before there is a machine, under the machine's id once that is
 * known, and gone when it has arrived. So whoever drives the run after a crash can deliver it.
 */
export class Letters {
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = join(root, 'letters');
  }

  /** Before a launch. */
  async write({ token, machines, expiresAt }: LaunchRequest, now: number): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#sweep(now);
    for (const { index, userData } of machines) {
      const key = `${token}-${index}`;
      const draft = join(this.#folder, `${randomUUID()}.new`);
      const letter = { key, userData: Buffer.from(userData).toString('base64'), expiresAt: expiresAt.toISOString() };
      await writeDurably(draft, JSON.stringify(letter));
      await rename(draft, this.#path(key));
    }
    await flushDirectory(this.#folder);
  }

  /** Once the machines of a launch are known. */
  async address(token: string, machines: readonly Pick<Machine, 'id' | 'index'>[]): Promise<void> {
    for (const { id, index } of machines) await unlessMissing(rename(this.#path(`${token}-${index}`), this.#path(digest(id))));
  }

  async to(id: string): Promise<Letter | undefined> {
    const text = await unlessMissing(readFile(this.#path(digest(id)), 'utf8'));
    if (text === undefined) return undefined;
    const { key, userData } = letterSchema.parse(JSON.parse(text));
    return { key, userData: Buffer.from(userData, 'base64') };
  }

  async drop(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => rm(this.#path(digest(id)), { force: true })));
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }

  /** Letters to machines whose time is over. */
  async #sweep(now: number): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if (!hasCode(error, 'ENOENT')) throw error;
        return '';
      });
      const expiresAt = expiryOf(text);
      if (expiresAt !== undefined && expiresAt < now) await rm(path, { force: true });
    }
  }
}

/** Undefined for what is being written. */
function expiryOf(text: string): number | undefined {
  try {
    return Date.parse(letterSchema.parse(JSON.parse(text)).expiresAt);
  } catch {
    return undefined;
  }
}

/** Ids of a cloud may be anything. */
function digest(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
