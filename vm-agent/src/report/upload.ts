import { closeSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { ReportProgress } from '@paceline/api/agent';
import { Backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { type Engine, HttpError } from '../link/http.ts';
import { ring } from './ring.ts';
import { insist } from '../link/insist.ts';

export interface Upload {
  engine: Engine;
  file: string;
  name: string;
  size: number;
  sha256: string;
  clock: Clock;
  signal: AbortSignal;
}

/** A refusal is asked for this often: a disk may have room again. */
const refusalTries = 3;
/** So many cuts without one more byte arriving are a refusal, too. */
const stuckTries = 10;

/**
 * Send a report, going on where a cut left it. A network that is away is waited for; rejects with an `HttpError` when the engine
 * refuses (a full disk, a wrong name), and when the signal came.
 */
export async function upload(job: Upload): Promise<void> {
  let refusals = 0;
  let stuck = -1;
  let best = -1;
  let first = true;
  const attempt = async (): Promise<void> => {
    const progress = first ? { received: 0, complete: false } : await received(job);
    first = false;
    if (progress.complete) return;
    if (progress.received > best) stuck = 0;
    else if (++stuck > stuckTries) throw new HttpError(400, `the report does not get past byte ${best}`);
    best = Math.max(best, progress.received);
    if (!(await send(job, progress.received)).complete) throw new Error('a part is missing');
  };
  await insist(attempt, {
    backoff: new Backoff(job.clock),
    signal: job.signal,
    final: ({ status }) => stuck > stuckTries || (!passing.includes(status) && ++refusals >= refusalTries),
  });
}

/** A wrong offset is looked up again, and an engine that has too much to do may have less. */
const passing = [408, 409, 416, 425, 429, 500, 502, 503, 504];
const pathOf = (name: string): string => `/agent/reports/${encodeURIComponent(name)}`;

async function received({ engine, name, signal }: Upload): Promise<ReportProgress> {
  try {
    return await engine.json('GET', pathOf(name), undefined, signal);
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return { received: 0, complete: false };
    throw error;
  }
}

async function send({ engine, file, name, size, sha256, signal }: Upload, offset: number): Promise<ReportProgress> {
  const answer = await engine.text({
    method: 'PUT',
    path: `${pathOf(name)}?offset=${offset}&size=${size}&sha256=${sha256}`,
    headers: { 'content-type': 'application/gzip', 'content-length': size - offset },
    body: Readable.from(contentOf(file, offset), { highWaterMark: 1 }),
    signal,
  });
  return JSON.parse(answer) as ReportProgress;
}

function* contentOf(file: string, offset: number): Generator<Buffer> {
  const fd = openSync(file, 'r');
  const next = ring(64 * 1024);
  try {
    for (let at = offset; ;) {
      const buffer = next();
      const count = readSync(fd, buffer, 0, buffer.length, at);
      if (count === 0) return;
      at += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}
