import type { RunSummary } from '@paceline/api';
import { useCallback, useMemo, useState } from 'react';
import { useLiveRuns } from '../data/use-live-runs.ts';
import { useLoaded } from '../data/use-loaded.ts';
import { Link, useHost } from '../host.tsx';
import { ErrorNotice, Loading, Nothing } from '../parts/notice.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Time } from '../parts/time.tsx';
import { isShown, projectsOf, type RunFilter } from './run-filter.ts';

const most = 500;

/** The runs that the user may see, newest first; it is live. @param tag only those that have it */
export function RunsPage({ tag }: { tag?: string }) {
  const { client, paths } = useHost();
  const [filter, setFilter] = useState<RunFilter>({ text: '', show: 'all', project: '' });
  const activeOnly = filter.show === 'active';
  const load = useCallback(
    () => client.runs.list({ limit: most, active: activeOnly, ...(tag === undefined ? {} : { tag }) }),
    [client, activeOnly, tag],
  );
  const { value: loaded, error, reload } = useLoaded(load);
  const all = useLiveRuns(loaded, reload);
  // What is live comes of all runs.
  const runs = useMemo(() => (tag === undefined ? all : all?.filter(({ tags }) => tags.includes(tag))), [all, tag]);
  const shown = useMemo(() => (runs ?? []).filter((run) => isShown(run, filter)), [runs, filter]);
  const change = (patch: Partial<RunFilter>): void => setFilter((before) => ({ ...before, ...patch }));
  const projects = projectsOf(runs ?? []);
  return (
    <section aria-labelledby="pl-runs">
      <h1 id="pl-runs">Runs</h1>
      <form className="pl-filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Search
          <input
            type="search"
            value={filter.text}
            onChange={({ target }) => change({ text: target.value })}
            placeholder="name, id, tag, person"
          />
        </label>
        <label>
          State
          <select value={filter.show} onChange={({ target }) => change({ show: target.value as RunFilter['show'] })}>
            <option value="all">All</option>
            <option value="active">Active</option>
            <option value="ready">Ready</option>
            <option value="failed">Aborted</option>
            <option value="ended">Ended</option>
          </select>
        </label>
        {projects.length > 1 && (
          <label>
            Project
            <select value={filter.project} onChange={({ target }) => change({ project: target.value })}>
              <option value="">All</option>
              {projects.map((project) => (
                <option key={project}>{project}</option>
              ))}
            </select>
          </label>
        )}
        <span role="status" className="pl-count">
          {runs === undefined ? '' : `${shown.length} of ${runs.length}${runs.length === most ? ' newest' : ''}`}
        </span>
      </form>
      <ErrorNotice error={error} />
      {runs === undefined && error === undefined && <Loading />}
      {runs?.length === 0 && (
        <Nothing>
          There are no runs yet. Start one from the <Link to={paths.apps}>app store</Link>, or with <code>paceline up</code>.
        </Nothing>
      )}
      {shown.length > 0 && <RunsTable runs={shown} known={tag} />}
      {runs !== undefined && runs.length > 0 && shown.length === 0 && <Nothing>No run fits the filter.</Nothing>}
    </section>
  );
}

/** @param known a tag that all of them have, which says nothing about any of them */
function RunsTable({ runs, known }: { runs: RunSummary[]; known: string | undefined }) {
  const { paths } = useHost();
  return (
    <div className="pl-table-box">
      <table className="pl-table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Project</th>
            <th scope="col">Started</th>
            <th scope="col">By</th>
            <th scope="col">Tags</th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ id, name, state, project, createdAt, createdBy, tags }) => (
            <tr key={id}>
              <th scope="row">
                <Link to={paths.run(id)}>{name}</Link> <code className="pl-faint">{id.slice(0, 8)}</code>
              </th>
              <td>
                <StateBadge state={state} />
              </td>
              <td>{project}</td>
              <td>
                <Time at={createdAt} />
              </td>
              <td>{createdBy}</td>
              <td>
                {tags
                  .filter((tag) => tag !== known)
                  .map((tag) => (
                    <span key={tag} className="pl-tag">
                      {tag}
                    </span>
                  ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
