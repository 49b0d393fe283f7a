import { setImmediate as turn } from 'node:timers/promises';
import type { LogChunk, RunStore } from '@paceline/engine';

/** Which of the output of a run is wanted. */
export interface LogQuery {
  /** The cursor: what comes after it. */
  after: number;
  limit: number;
  /** Only of this instance, or of all instances of this node. */
  instance?: string | undefined;
  /** Only the last so many pieces of what is stored now. Without a cursor only. */
  tail?: number | undefined;
}

/** What pages are read from. */
export type LogSource = Pick<RunStore, 'logs' | 'logEnds'>;

/** Pieces that are read at once: they may be long. */
const pageSize = 100;
/** The text of a page, in characters. What is longer comes with the next one. */
const pageLength = 8 * 1024 * 1024;

/** Whether a piece is of an instance, or of a node; everything is when none is named. */
export function isOf({ instance }: Pick<LogChunk, 'instance'>, wanted: string | undefined): boolean {
  return wanted === undefined || instance === wanted || instance.startsWith(`${wanted}.`);
}

/** A page of the output of a run. */
export async function readLogs(store: LogSource, run: string, query: LogQuery): Promise<LogChunk[]> {
  const { after, limit, instance, tail } = query;
  if (tail !== undefined && after === 0) return readTail(store, run, tail, instance);
  const found: LogChunk[] = [];
  for (let cursor = after; found.length < limit && lengthOf(found) < pageLength; await turn()) {
    const page = await store.logs(run, cursor, Math.min(pageSize, limit));
    const last = page.at(-1);
    if (last === undefined) break;
    found.push(...page.filter((piece) => isOf(piece, instance)));
    cursor = last.seq;
  }
  return found.slice(0, Math.min(limit, fitting(found)));
}

/** The last pieces, read from the end. */
async function readTail(store: LogSource, run: string, count: number, instance: string | undefined): Promise<LogChunk[]> {
  const ends = (await store.logEnds(run)).filter((source) => isOf(source, instance));
  let found: LogChunk[] = [];
  const last = Math.max(0, ...ends.map(({ lastSeq }) => lastSeq));
  for (let end = last; end > 0 && found.length < count && lengthOf(found) < pageLength; await turn()) {
    const start = Math.max(0, end - pageSize);
    const page = await store.logs(run, start, end - start);
    found = [...page.filter((piece) => piece.seq <= end && isOf(piece, instance)), ...found];
    end = start;
  }
  return found.slice(-Math.min(count, fitting(found.toReversed())));
}

/** How many pieces make a page by their length: one at least. */
function fitting(pieces: readonly LogChunk[]): number {
  let length = 0;
  const index = pieces.findIndex(({ text }) => (length += text.length) > pageLength);
  return index === -1 ? pieces.length : Math.max(1, index);
}

function lengthOf(pieces: readonly LogChunk[]): number {
  return pieces.reduce((sum, { text }) => sum + text.length, 0);
}
