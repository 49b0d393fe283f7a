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

/** Pieces that are read at once when only some of them are wanted: they may be long. */
const pageSize = 100;

/** Whether a piece is of an instance, or of a node; everything is when none is named. */
export function isOf({ instance }: Pick<LogChunk, 'instance'>, wanted: string | undefined): boolean {
  return wanted === undefined || instance === wanted || instance.startsWith(`${wanted}.`);
}

/** A page of the output of a run. */
export async function readLogs(store: LogSource, run: string, query: LogQuery): Promise<LogChunk[]> {
  const { after, limit, instance, tail } = query;
  if (tail !== undefined && after === 0) return readTail(store, run, tail, instance);
  if (instance === undefined) return store.logs(run, after, limit);
  const found: LogChunk[] = [];
  for (let cursor = after; found.length < limit; await turn()) {
    const page = await store.logs(run, cursor, pageSize);
    const last = page.at(-1);
    if (last === undefined) break;
    found.push(...page.filter((piece) => isOf(piece, instance)));
    cursor = last.seq;
  }
  return found.slice(0, limit);
}

/** The last pieces, read from the end. */
async function readTail(store: LogSource, run: string, count: number, instance: string | undefined): Promise<LogChunk[]> {
  const ends = (await store.logEnds(run)).filter((source) => isOf(source, instance));
  let found: LogChunk[] = [];
  for (let end = Math.max(0, ...ends.map(({ lastSeq }) => lastSeq)); end > 0 && found.length < count; await turn()) {
    const start = Math.max(0, end - pageSize);
    const page = await store.logs(run, start, end - start);
    found = [...page.filter((piece) => piece.seq <= end && isOf(piece, instance)), ...found];
    end = start;
  }
  return found.slice(-count);
}
