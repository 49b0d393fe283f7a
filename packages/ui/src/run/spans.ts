import type { EventView, RunDetail } from '@paceline/api';

/** A state, and how long it lasted, in milliseconds since the epoch. */
export interface Span {
  state: string;
  start: number;
  end: number;
}

/** The states of a run one after the other, up to its end or to now. A final state takes no time. */
export function spansOf(run: Pick<RunDetail, 'createdAt' | 'endedAt'>, events: readonly EventView[], now: number): Span[] {
  const starts = [
    { state: 'Initializing', at: Date.parse(run.createdAt) },
    ...events.filter(({ type }) => type === 'run.state').map(({ at, data }) => ({ state: String(data['state']), at: Date.parse(at) })),
  ];
  const last = run.endedAt === null ? now : Date.parse(run.endedAt);
  return starts
    .map(({ state, at }, index) => ({ state, start: at, end: Math.max(at, starts[index + 1]?.at ?? last) }))
    .filter(({ state, start, end }, index) => index === starts.length - 1 || end > start || state !== 'Initializing');
}
