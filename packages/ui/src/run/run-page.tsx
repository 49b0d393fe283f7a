import type { RunDetail } from '@paceline/api';
import { useMemo, useState } from 'react';
import { useRun, type LiveRun } from '../data/use-run.ts';
import { ErrorNotice, Loading } from '../parts/notice.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { Time } from '../parts/time.tsx';
import { Actions } from './actions.tsx';
import { ChosenInstance } from './chosen-instance.tsx';
import { hourlyCost } from './cost.ts';
import { Events } from './events.tsx';
import { Graph } from './graph.tsx';
import { Instances } from './instances.tsx';
import { LastWords } from './last-words.tsx';
import { Logs } from './logs.tsx';
import { Parameters } from './parameters.tsx';
import { Reports } from './reports.tsx';
import { Timeline } from './timeline.tsx';

/** One run, live. */
export function RunPage({ id }: { id: string }) {
  const live = useRun(id);
  if (live.run === undefined) {
    return (
      <section aria-labelledby="pl-run">
        <h1 id="pl-run">Run {id}</h1>
        {live.error === undefined ? <Loading /> : <ErrorNotice error={live.error} />}
      </section>
    );
  }
  return (
    <article className="pl-run" aria-label={`Run ${live.run.name}`}>
      <Head run={live.run} onDone={live.reload} />
      <ErrorNotice error={live.error} />
      <Body run={live.run} live={live} />
    </article>
  );
}

function Head({ run, onDone }: { run: RunDetail; onDone: () => void }) {
  const cost = hourlyCost(run);
  return (
    <header>
      <div className="pl-title">
        <h1>{run.name}</h1>
        <span role="status">
          <StateBadge state={run.state} aborted={run.abort !== null} />
        </span>
        <code className="pl-faint">{run.id}</code>
      </div>
      <p className="pl-faint">
        Started <Time at={run.createdAt} /> by {run.createdBy} in {run.project}
        {run.endedAt !== null && (
          <>
            , ended <Time at={run.endedAt} />
          </>
        )}
        {cost !== undefined && `; its machines cost ${cost} an hour`}
        {run.tags.map((tag) => (
          <span key={tag} className="pl-tag">
            {tag}
          </span>
        ))}
      </p>
      {run.abort !== null && (
        <div className="pl-notice" data-tone="bad" role="alert">
          <strong>Abort: {run.abort.reason}</strong>
          <p>
            From {run.abort.source}, <Time at={run.abort.at} />
          </p>
          <LastWords run={run.id} culprit={culpritOf(run)} />
        </div>
      )}
      {run.scaling !== null && (
        <div className="pl-notice" role="status">
          {run.scaling.node} is being scaled: {run.scaling.instances.length} machines.
        </div>
      )}
      <Actions run={run} onDone={onDone} />
    </header>
  );
}

/** The instance that has aborted the run, if it was one. */
function culpritOf({ abort, instances }: RunDetail): string | undefined {
  return instances.find(({ name }) => abort?.source === `${name}:abort`)?.name;
}

function Body({ run, live: { events } }: { run: RunDetail; live: LiveRun }) {
  const [tab, setTab] = useState('overview');
  const [chosenName, setChosen] = useState<string>();
  const chosen = run.instances.find(({ name }) => name === chosenName);
  const names = useMemo(() => [...run.nodes.map(({ name }) => name), ...run.instances.map(({ name }) => name)], [run.nodes, run.instances]);
  const overview = (
    <>
      <Graph run={run} chosen={chosenName} onChoose={setChosen} />
      {chosen !== undefined && <ChosenInstance run={run.id} instance={chosen} onClose={() => setChosen(undefined)} />}
      <Instances instances={run.instances} chosen={chosenName} onChoose={setChosen} />
      <Timeline run={run} events={events.items} />
    </>
  );
  return (
    <Tabs
      label="Parts of the run"
      shown={tab}
      onShow={setTab}
      tabs={[
        { id: 'overview', label: 'Overview', content: () => overview },
        { id: 'logs', label: 'Logs', content: () => <Logs key={chosenName} run={run.id} instance={chosenName} names={names} /> },
        { id: 'parameters', label: 'Parameters', content: () => <Parameters run={run.id} version={run.lastEvent} /> },
        { id: 'events', label: 'Events', content: () => <Events feed={events} /> },
        { id: 'reports', label: 'Reports', content: () => <Reports run={run.id} version={run.lastEvent} /> },
      ]}
    />
  );
}
