import type { EventView, RunDetail } from '@paceline/api';
import { useEffect, useState } from 'react';
import { Loading } from '../parts/notice.tsx';
import { duration, Time } from '../parts/time.tsx';
import { spansOf, type Span } from './spans.ts';

/** How long the run was in each state. */
export function Timeline({ run, events }: { run: RunDetail; events: readonly EventView[] }) {
  const now = useNow(run.endedAt === null);
  const spans = spansOf(run, events, now);
  const total = Math.max(1, ...spans.map(({ end }) => end)) - (spans[0]?.start ?? 0);
  return (
    <section aria-labelledby="pl-timeline">
      <h2 id="pl-timeline">Timeline</h2>
      {events.length === 0 && run.state !== 'Initializing' ? <Loading /> : <Spans spans={spans} total={total} />}
    </section>
  );
}

function Spans({ spans, total }: { spans: Span[]; total: number }) {
  return (
    <ol className="pl-timeline">
      {spans.map(({ state, start, end }) => (
        <li key={`${state}-${start}`} data-state={state}>
          <span className="pl-span-name">{state}</span>
          <svg className="pl-bar" aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 1">
            <rect x={(100 * (start - (spans[0]?.start ?? 0))) / total} width={Math.max(0.4, (100 * (end - start)) / total)} height="1" />
          </svg>
          <span className="pl-faint">
            <Time at={new Date(start).toISOString()} short /> · {duration(end - start)}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** The time, each second for as long as it matters. */
function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
