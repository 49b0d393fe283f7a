import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { PacelineError } from '@paceline/model';
import type { ReportProgress } from '@paceline/api/agent';
import { Uploads, type Upload } from './uploads.ts';

export interface ReportPart {
  /** Where this part begins in the file, in bytes. */
  offset: number;
  /** The size of the whole file, in bytes. */
  size: number;
  /** SHA-256 of the whole file, hexadecimal. */
  sha256: string;
}

const reportName = /^(?<instance>\w+(?:\.\d+)?)_report_[0-9TZ-]{10,30}\.tgz$/;

/** Of one instance: one is sent at the end of a run, and one more after each abort that was cancelled. */
const mostReports = 100;
/** What no report takes of a disk, which may be the database's: a tenth of it, or this, in bytes, when that is less. */
const largestReserve = 1024 ** 3;

/** The report files of all runs, a folder each. They are stored as they come and never unpacked. */
export class ReportFiles {
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #uploads = new Uploads();

  /** @param maxBytes what is taken of one instance's reports, in bytes */
  constructor(root: string, maxBytes: number) {
    this.#root = root;
    this.#maxBytes = maxBytes;
  }

  async progress(run: string, name: string): Promise<ReportProgress> {
    const path = this.#path(run, name);
    const whole = await sizeOf(path);
    if (whole !== undefined) return { received: whole, complete: true };
    return { received: (await sizeOf(partOf(path))) ?? 0, complete: false };
  }

  /**
   * Appends a part that comes from the network, in constant memory. What its instance was still sending is cut off.
   * @throws PACELINE_CONFLICT when the part does not begin where the last one ended, or its instance has begun to send again,
   * PACELINE_TOO_LARGE, PACELINE_REPORT_CORRUPT when the whole does not have its checksum, PACELINE_STORE_FULL
   */
  async append(run: string, name: string, part: ReportPart, body: Readable): Promise<ReportProgress> {
    const path = this.#path(run, name);
    const sender = `${ReportFiles.instanceOf(name)} of the run ${run}`;
    return this.#uploads.take(sender, body, (upload) => this.#append(run, name, path, part, body, upload));
  }

  async #append(run: string, name: string, path: string, part: ReportPart, body: Readable, upload: Upload): Promise<ReportProgress> {
    const before = await this.progress(run, name);
    if (before.complete) {
      await this.#keepName(path);
      return before;
    }
    await this.#checkSize(path, name, part);
    if (part.offset !== before.received) {
      throw new PacelineError('PACELINE_CONFLICT', `The report ${name} goes on at byte ${before.received}, not ${part.offset}`, {
        data: { ...before },
      });
    }
    await this.#receive(path, name, part, body, upload);
    const received = (await sizeOf(partOf(path))) ?? 0;
    if (received < part.size) return { received, complete: false };
    await this.#finish(path, name, part);
    return { received: part.size, complete: true };
  }

  /** Size and SHA-256 of a report that is there whole. */
  async facts(run: string, name: string): Promise<{ bytes: number; sha256: string }> {
    const path = this.#path(run, name);
    return { bytes: (await stat(path)).size, sha256: await sha256Of(path) };
  }

  open(run: string, name: string): Readable {
    return createReadStream(this.#path(run, name));
  }

  async remove(run: string): Promise<void> {
    await rm(join(this.#root, run), { recursive: true, force: true });
  }

  /** The instance that a report is of, by its name. */
  static instanceOf(name: string): string | undefined {
    return reportName.exec(name)?.groups?.['instance'];
  }

  async #receive(path: string, name: string, part: ReportPart, body: Readable, upload: Upload): Promise<void> {
    try {
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      if (made !== undefined) await syncFolder(dirname(made));
      await this.#reserveSpace(path, part, upload);
      const file = await open(partOf(path), 'a', 0o600);
      try {
        for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
          upload.left -= chunk.length;
          if (upload.left < 0)
            throw new PacelineError('PACELINE_REQUEST_INVALID', `The report ${name} is longer than its announced ${part.size} bytes`);
          await file.writeFile(chunk);
        }
      } finally {
        await file.close();
      }
    } catch (cause) {
      // The rest is read and thrown away: a sender that is cut off in the middle would never see the reason.
      body.resume();
      if (!isFull(cause)) throw cause;
      throw new PacelineError('PACELINE_STORE_FULL', `There is no space left at the server for the report ${name}`, {
        cause,
        hint: 'Free some space on the server: a tenth of the disk, and at most 1 GiB, is left to the runs. The report is still on its machine.',
      });
    }
  }

  async #checkSize(path: string, name: string, { size }: ReportPart): Promise<void> {
    const instance = ReportFiles.instanceOf(name);
    const files = await readdir(dirname(path)).catch(() => []);
    const others = files.filter((file) => file !== `${name}.part` && ReportFiles.instanceOf(file.replace(/\.part$/, '')) === instance);
    const sizes = await Promise.all(others.map((file) => sizeOf(join(dirname(path), file))));
    const sent = sizes.reduce<number>((sum, bytes = 0) => sum + bytes, 0);
    if (sent + size <= this.#maxBytes && others.length < mostReports) return;
    const before = sent === 0 ? '' : `, and ${instance} has sent ${others.length} with ${sent} bytes before`;
    throw new PacelineError(
      'PACELINE_TOO_LARGE',
      `The report ${name} has ${size} bytes${before}; at most ${mostReports} with ${this.#maxBytes} bytes are taken of one instance`,
    );
  }

  /** What others are still sending is not there any more, either. */
  async #reserveSpace(path: string, { size, offset }: ReportPart, upload: Upload): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(dirname(path));
    const reserve = Math.min(largestReserve, (blocks * bsize) / 10);
    const room = bavail * bsize - reserve - this.#uploads.announced;
    if (room < size - offset) throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
    upload.left = size - offset;
  }

  async #finish(path: string, name: string, part: ReportPart): Promise<void> {
    const actual = await sha256Of(partOf(path));
    if (actual !== part.sha256) {
      await rm(partOf(path), { force: true });
      throw new PacelineError('PACELINE_REPORT_CORRUPT', `The report ${name} arrived with SHA-256 ${actual}, expected ${part.sha256}`);
    }
    const file = await open(partOf(path), 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partOf(path), path);
    await this.#keepName(path);
  }

  /** What is on disk is found there after a loss of power only when its name is, too, and that of its folder. */
  async #keepName(path: string): Promise<void> {
    await syncFolder(dirname(path));
    await syncFolder(this.#root);
  }

  #path(run: string, name: string): string {
    if (!reportName.test(name) || !/^[0-9a-f-]{36}$/.test(run)) {
      throw new PacelineError('PACELINE_REQUEST_INVALID', `'${name}' is not the name of a report`, {
        hint: 'Reports are named like client.1_report_2012-01-19T203527Z.tgz.',
      });
    }
    return join(this.#root, run, name);
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}

function partOf(path: string): string {
  return `${path}.part`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function isFull(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
