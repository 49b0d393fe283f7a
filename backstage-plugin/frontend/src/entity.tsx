import { AppPage, ErrorNotice, Link, Loading, Nothing, RunsPage, StateBadge, useHost, useLoaded } from '@paceline/ui';
import { stringifyEntityRef } from '@backstage/catalog-model';
import { useEntity } from '@backstage/plugin-catalog-react';
import { entityTag } from '@paceline/backstage-plugin-common';
import { useCallback } from 'react';
import { deploymentOf } from './deployment.ts';
import { Paceline } from './paceline.tsx';

const shownRuns = 5;

/** The tab of an entity: its runs, and the form that starts another. */
export function EntityRuns() {
  const { entity } = useEntity();
  const tag = entityTag(stringifyEntityRef(entity));
  const deployment = deploymentOf(entity);
  return (
    <Paceline>
      <div className="plb-entity">
        <RunsPage tag={tag} />
        {deployment !== undefined && <AppPage id={deployment} tags={[tag]} />}
      </div>
    </Paceline>
  );
}

/** The card of an entity: what runs of it. */
export function EntityCard() {
  const { entity } = useEntity();
  return (
    <Paceline>
      <section className="plb-card" aria-labelledby="plb-card">
        <h2 id="plb-card">Runs</h2>
        <NewestRuns tag={entityTag(stringifyEntityRef(entity))} />
      </section>
    </Paceline>
  );
}

function NewestRuns({ tag }: { tag: string }) {
  const { client, paths } = useHost();
  const load = useCallback(async () => client.runs.list({ tag, limit: shownRuns }), [client, tag]);
  const { value: runs, error } = useLoaded(load);
  if (runs === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (runs.length === 0) return <Nothing>Nothing was run yet.</Nothing>;
  return (
    <ul>
      {runs.map(({ id, name, state }) => (
        <li key={id}>
          <Link to={paths.run(id)}>{name}</Link> <StateBadge state={state} />
        </li>
      ))}
    </ul>
  );
}
