import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { nextPiece } from './chunk.ts';
import type { Masker } from './mask.ts';

export interface LogChunk {
  offset: number;
  bytes: number;
  text: string;
}

export interface TailOptions {
  file: string;
  /** Its name, as people find it in the report. */
  name: string;
  /** Bytes that the engine already has. */
  from: number;
  masker: Masker;
  /** Resolves when the engine has the chunk. */
  send: (chunk: LogChunk) => Promise<unknown>;
  /** Resolves when there is room for more. */
  room: () => Promise<void>;
  /** Bytes of one file that are sent. @default 10 MiB */
  limit?: number;
  /** @default 64 KiB */
  chunk?: number;
}

export const streamedBytes = 10 * 1024 * 1024;

/** Sends a growing file home. `kick` says that there may be more; `finish` that there will be no more. */
export class Tail {
  readonly #options: Required<TailOptions>;
  #offset: number;
  #before: Buffer = Buffer.alloc(0);
  #kicked = true;
  #final = false;
  #wake: (() => void) | undefined;
  #last: Promise<unknown> = Promise.resolve();
  readonly #ended: Promise<void>;

  constructor(options: TailOptions) {
    this.#options = { limit: streamedBytes, chunk: 64 * 1024, ...options };
    this.#offset = options.from;
    this.#ended = this.#follow();
  }

  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  /** Send the rest. Resolves when the engine has all of it. */
  async finish(): Promise<void> {
    this.#final = true;
    this.kick();
    await this.#ended;
    await this.#last;
  }

  /** No more of it: the agent stops. */
  stop(): void {
    this.#offset = Infinity;
    this.#final = true;
    this.kick();
  }

  async #follow(): Promise<void> {
    const { file, limit, chunk, masker } = this.#options;
    let fd: number | undefined;
    try {
      fd = openSync(file, 'r');
      // A secret may have begun just before the place where we go on.
      const reach = Math.min(this.#offset, masker.longest);
      if (reach > 0) this.#before = readAt(fd, Buffer.alloc(reach), this.#offset - reach);
      const buffer = Buffer.allocUnsafe(chunk);
      while (this.#offset < limit) {
        await this.#options.room();
        const final = this.#final;
        this.#kicked = false;
        const fresh = readAt(fd, buffer.subarray(0, limit - this.#offset), this.#offset);
        if (fresh.length > 0 && this.#forward(fresh, final && fresh.length < chunk, fd)) continue;
        if (final) break;
        if (!this.#kicked) await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } catch {
      // The file is gone: a script may clean up as it likes.
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** @returns whether there was anything that could be sent */
  #forward(fresh: Buffer, final: boolean, fd: number): boolean {
    const { limit, masker, name, send } = this.#options;
    const atLimit = this.#offset + fresh.length >= limit;
    const more = atLimit && fstatSync(fd).size > limit;
    // The last byte before the limit stays until it is known whether something follows it.
    const usable = atLimit && !more && !final ? fresh.subarray(0, -1) : fresh;
    const bytes = Buffer.concat([this.#before, usable]);
    const piece = nextPiece(bytes, this.#before.length, masker, final || more);
    if (piece.bytes === 0) return false;
    if (more) piece.text += `\n[output goes on in ${name}; only the first ${limit / 1024 / 1024} MiB are streamed]\n`;
    this.#last = send({ offset: this.#offset, ...piece });
    this.#offset += piece.bytes;
    const seen = this.#before.length + piece.bytes;
    this.#before = Buffer.from(bytes.subarray(Math.max(0, seen - masker.longest), seen));
    return true;
  }
}

/** @returns the part of the buffer that could be filled */
function readAt(fd: number, buffer: Buffer, position: number): Buffer {
  return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, position));
}
