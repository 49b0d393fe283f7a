import type { RunDetail } from '@paceline/api';
import { useCallback, useState } from 'react';
import { useLoaded } from '../data/use-loaded.ts';
import { useHost, type RunRight } from '../host.tsx';
import { ActionButton } from '../parts/action-button.tsx';

/** What can be done with a run at this moment, by this user. Nothing else is offered. */
export function Actions({ run, onDone }: { run: RunDetail; onDone: () => void }) {
  const { client, rightsOf } = useHost();
  const url = safeUrl(run.serviceUrl);
  const { id, project, createdBy } = run;
  const rights = useLoaded(useCallback(() => rightsOf({ id, project, createdBy }), [rightsOf, id, project, createdBy])).value;
  const may = (right: RunRight): boolean => run.endedAt === null && rights?.includes(right) === true;
  const done = async (action: Promise<unknown>): Promise<void> => {
    await action;
    onDone();
  };
  return (
    <div className="pl-actions">
      {url !== undefined && (
        <a className="pl-button" data-tone="main" href={url} target="_blank" rel="noreferrer noopener">
          Open {new URL(url).host}
        </a>
      )}
      {may('update') && run.abort !== null && run.outcome === null && (
        <ActionButton action={() => done(client.runs.cancelAbort(run.id))}>Cancel the abort</ActionButton>
      )}
      {may('scale') && run.scalable && run.state === 'Ready' && run.category === 'Deployment' && <Scale run={run} onDone={onDone} />}
      {may('terminate') && run.outcome === null && (
        <ActionButton tone="bad" confirm="End the run and take its machines down?" action={() => done(client.runs.terminate(run.id))}>
          Terminate
        </ActionButton>
      )}
    </div>
  );
}

function Scale({ run, onDone }: { run: RunDetail; onDone: () => void }) {
  const { client } = useHost();
  const [node, setNode] = useState(run.nodes[0]?.name ?? '');
  const present = run.instances.filter((instance) => instance.node === node && !instance.dropped).length;
  const [wanted, setWanted] = useState<number>();
  return (
    <form className="pl-scale" onSubmit={(event) => event.preventDefault()} aria-label="Scale">
      <label>
        Scale
        <select
          value={node}
          onChange={({ target }) => {
            setNode(target.value);
            setWanted(undefined);
          }}
        >
          {run.nodes.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        to
        <input type="number" min={0} max={10_000} value={wanted ?? present} onChange={({ target }) => setWanted(target.valueAsNumber)} />
      </label>
      <ActionButton
        action={async () => {
          await client.runs.scale(run.id, { node, count: wanted ?? present });
          setWanted(undefined);
          onDone();
        }}
      >
        Scale
      </ActionButton>
    </form>
  );
}

/** The address that recipes have set, when it is one of the web: anything else would run in the page. */
export function safeUrl(text: string | null): string | undefined {
  if (text === null || !URL.canParse(text)) return undefined;
  return /^https?:$/.test(new URL(text).protocol) ? text : undefined;
}
