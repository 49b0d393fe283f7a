import { createReadStream } from 'node:fs';
import type { ReportProgress } from '@paceline/api/agent';
import type { Backoff } from '../backoff.ts';
import { type Engine, HttpError, detailOf, isFinal, readAll, retryAfter } from '../link/http.ts';

export interface Upload {
  engine: Engine;
  file: string;
  name: string;
  size: number;
  sha256: string;
  backoff: Backoff;
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
  let stuck = 0;
  let best = 0;
  for (let first = true; ; first = false) {
    let asked = 0;
    try {
      const progress = first ? { received: 0, complete: false } : await received(job);
      if (progress.complete) return;
      if (progress.received > best) stuck = 0;
      else if (!first && ++stuck > stuckTries) throw new HttpError(502, `the report does not get past byte ${best}`);
      best = Math.max(best, progress.received);
      if ((await send(job, progress.received)).complete) return;
    } catch (error) {
      if (job.signal.aborted || isFinal(error)) throw error;
      if (error instanceof HttpError) {
        asked = error.retryAfter;
        const passing = [408, 409, 416, 425, 429, 500, 502, 503, 504].includes(error.status);
        if (!passing && ++refusals >= refusalTries) throw error;
        if (stuck > stuckTries) throw error;
      }
    }
    await job.backoff.wait(asked);
  }
}

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
  const response = await engine.call({
    method: 'PUT',
    path: `${pathOf(name)}?offset=${offset}&size=${size}&sha256=${sha256}`,
    headers: { 'content-type': 'application/gzip', 'content-length': size - offset },
    body: createReadStream(file, { start: offset, highWaterMark: 256 * 1024 }),
    signal,
  });
  const text = (await readAll(response)).toString();
  if (response.statusCode! >= 300) {
    const detail = detailOf(text) || `HTTP ${response.statusCode}`;
    throw new HttpError(response.statusCode!, detail, retryAfter(response));
  }
  return JSON.parse(text || '{"complete":true}') as ReportProgress;
}
