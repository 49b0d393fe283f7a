import type { RunSummary } from '@paceline/api';
import { iso, type Engine } from '@paceline/engine';
import type { FastifyReply } from 'fastify';
import { openEventStream } from '../sse.ts';

/** What happens in this time is told at once, in milliseconds. */
const pauseMs = 250;

/** Streams the runs that change, as they are then. @param projects only of these; undefined for all */
export async function streamChanges(engine: Engine, reply: FastifyReply, projects: readonly string[] | undefined): Promise<void> {
  const out = openEventStream(reply);
  const changed = new Set<string>();
  let wake = (): void => {};
  const stop = engine.watchRuns((run) => {
    changed.add(run);
    wake();
  });
  out.signal.addEventListener('abort', () => wake());
  const told = new Map<string, string>();
  let seq = 0;
  try {
    while (!out.signal.aborted) {
      if (changed.size === 0) await new Promise<void>((resolve) => (wake = resolve));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const runs = [...changed];
      changed.clear();
      for (const id of runs) {
        const run = await summaryOf(engine, id);
        // Most of what happens in a run does not show in a list.
        if (run === undefined || told.get(id) === run.state || projects?.includes(run.project) === false) continue;
        if (run.endedAt === null) told.set(id, run.state);
        else told.delete(id);
        seq = Math.max(seq + 1, Date.now());
        await out.write('run', { seq, run }, seq);
      }
    }
  } finally {
    stop();
    out.close();
  }
}

async function summaryOf(engine: Engine, id: string): Promise<RunSummary | undefined> {
  const run = await engine.run(id).catch(() => undefined);
  if (run === undefined) return undefined;
  const { name, facts, createdAt, createdBy, project, tags } = run;
  const endedAt = facts.endedAt === null ? null : iso(facts.endedAt);
  return { id, name, state: facts.state, createdAt: iso(createdAt), createdBy, project, endedAt, tags };
}
