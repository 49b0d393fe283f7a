import { fieldsOf, givenValues, type ModuleContent } from '@paceline/api';
import { useCallback, useState, type FormEvent } from 'react';
import { useLoaded } from '../data/use-loaded.ts';
import { useHost } from '../host.tsx';
import { ErrorNotice, Loading } from '../parts/notice.tsx';
import { ProjectField } from './project-field.tsx';
import { ParameterField } from './parameter-field.tsx';

/** One deployment, with the form that its parameters make. @param tags what its runs are tagged with */
export function AppPage({ id, tags = noTags }: { id: string; tags?: readonly string[] }) {
  const { client } = useHost();
  const load = useCallback(() => client.modules.get(id), [client, id]);
  const { value: app, error } = useLoaded(load);
  if (app === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  return (
    <section aria-labelledby="pl-app">
      <h1 id="pl-app">{app.module.title === '' ? app.module.name : app.module.title}</h1>
      {app.module.deprecated !== null && (
        <div className="pl-notice" data-tone="bad" role="alert">
          <strong>Do not use it any more: {app.module.deprecated}</strong>
        </div>
      )}
      <p>{app.module.description}</p>
      <p className="pl-faint">
        {app.module.name}@{app.module.version}, published by {app.module.author}. Nodes: {Object.keys(app.deployment.nodes).join(', ')}
      </p>
      <StartForm deployment={app.deployment} tags={tags} />
    </section>
  );
}

const noTags: readonly string[] = [];

function StartForm({ deployment, tags }: Pick<ModuleContent, 'deployment'> & { tags: readonly string[] }) {
  const { client, navigate, paths } = useHost();
  const fields = fieldsOf(deployment);
  const [values, setValues] = useState<Record<string, string>>({});
  const [name, setName] = useState('');
  const [project, setProject] = useState('');
  const [cloud, setCloud] = useState('');
  const [keepRunning, setKeepRunning] = useState(deployment.keepRunning);
  const [state, setState] = useState<{ busy: boolean; error?: Error }>({ busy: false });
  const { value: info } = useLoaded(useCallback(() => client.info(), [client]));
  const start = (event: FormEvent): void => {
    event.preventDefault();
    setState({ busy: true });
    client.runs
      .create({
        deployment,
        keepRunning,
        tags: [...tags],
        parameters: givenValues(fields, values),
        ...(name === '' ? {} : { name }),
        ...(project === '' ? {} : { project }),
        ...(cloud === '' ? {} : { cloud }),
      })
      .then(({ run }) => navigate(paths.run(run.id)))
      .catch((error: unknown) => setState({ busy: false, error: error instanceof Error ? error : new Error(String(error)) }));
  };
  return (
    <form className="pl-form" onSubmit={start}>
      <label>
        Name of the run
        <input value={name} maxLength={100} onChange={({ target }) => setName(target.value)} placeholder={deployment.name} />
      </label>
      <ProjectField value={project} onChange={setProject} />
      {fields.map((field) => (
        <ParameterField
          key={field.key}
          field={field}
          value={values[field.key]}
          onChange={(value) => setValues((before) => ({ ...before, [field.key]: value }))}
        />
      ))}
      {(info?.clouds.length ?? 0) > 1 && (
        <label>
          Cloud
          <select value={cloud} onChange={({ target }) => setCloud(target.value)}>
            <option value="">As the deployment says</option>
            {info?.clouds.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      )}
      <label>
        Keep the machines when it is ready
        <select value={keepRunning} onChange={({ target }) => setKeepRunning(target.value as typeof keepRunning)}>
          <option value="always">Always</option>
          <option value="on-success">On success</option>
          <option value="on-error">On error</option>
          <option value="never">Never</option>
        </select>
      </label>
      <ErrorNotice error={state.error} />
      <button type="submit" className="pl-button" data-tone="main" disabled={state.busy}>
        {state.busy ? 'Starting…' : 'Start'}
      </button>
    </form>
  );
}
