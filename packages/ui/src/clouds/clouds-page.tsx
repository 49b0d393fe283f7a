import type { CloudSurvey } from '@paceline/api';
import { useCallback } from 'react';
import { useLoaded } from '../data/use-loaded.ts';
import { useHost } from '../host.tsx';
import { ErrorNotice, Loading, Nothing } from '../parts/notice.tsx';
import { duration } from '../parts/time.tsx';
import { Survey } from './survey.tsx';

/** The clouds of the server, and what is in use on them. */
export function CloudsPage() {
  const { client } = useHost();
  const { value: usage, error, reload } = useLoaded(useCallback(() => client.usage(), [client]));
  // Only operators may have the clouds asked, and that takes a while.
  const surveys = useLoaded(useCallback(() => client.clouds().catch(unlessForbidden), [client]));
  const refresh = (): void => {
    reload();
    surveys.reload();
  };
  return (
    <section aria-labelledby="pl-clouds">
      <div className="pl-title">
        <h1 id="pl-clouds">Clouds and usage</h1>
        <button type="button" className="pl-button" onClick={refresh}>
          Refresh
        </button>
      </div>
      <ErrorNotice error={error} />
      <ErrorNotice error={surveys.error} />
      {usage === undefined && error === undefined && <Loading />}
      {usage !== undefined && (
        <>
          <ul className="pl-cards">
            {usage.clouds.map(({ name, runs, machines }) => (
              <li key={name} className="pl-card">
                <h2>{name}</h2>
                <p>
                  <span className="pl-figure">{machines}</span> machines
                </p>
                <p className="pl-faint">in {runs} runs</p>
                {surveys.value
                  ?.filter((survey) => survey.name === name)
                  .map((survey) => (
                    <Survey key={name} survey={survey} />
                  ))}
              </li>
            ))}
          </ul>
          <h2>Projects</h2>
          {usage.projects.length === 0 ? (
            <Nothing>Nothing is in use.</Nothing>
          ) : (
            <div className="pl-table-box">
              <table className="pl-table">
                <thead>
                  <tr>
                    <th scope="col">Project</th>
                    <th scope="col">Runs</th>
                    <th scope="col">Machines</th>
                    <th scope="col">Time of these machines so far</th>
                  </tr>
                </thead>
                <tbody>
                  {usage.projects.map(({ project, runs, machines, machineSeconds }) => (
                    <tr key={project}>
                      <th scope="row">{project}</th>
                      <td>{runs}</td>
                      <td>{machines}</td>
                      <td>{duration(machineSeconds * 1000)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </section>
  );
}

/** What is not for this user is left out. */
function unlessForbidden(error: unknown): CloudSurvey[] {
  if (error instanceof Error && 'code' in error && error.code === 'PACELINE_FORBIDDEN') return [];
  throw error;
}
