import type { ModuleView } from '@paceline/api';
import { useCallback, useMemo, useState } from 'react';
import { useLoaded } from '../data/use-loaded.ts';
import { Link, useHost } from '../host.tsx';
import { ErrorNotice, Loading, Nothing } from '../parts/notice.tsx';

/** The deployments that can be started by a button. */
export function AppsPage() {
  const { client } = useHost();
  const load = useCallback(async () => (await client.modules.list()).filter(({ deprecated }) => deprecated === null), [client]);
  const { value: apps, error } = useLoaded(load);
  const [text, setText] = useState('');
  const shown = useMemo(() => (apps ?? []).filter((app) => fits(app, text)), [apps, text]);
  return (
    <section aria-labelledby="pl-apps">
      <h1 id="pl-apps">App store</h1>
      <form className="pl-filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Search
          <input type="search" value={text} onChange={({ target }) => setText(target.value)} placeholder="name, tag, description" />
        </label>
        <span role="status" className="pl-count">
          {apps === undefined ? '' : `${shown.length} of ${apps.length}`}
        </span>
      </form>
      <ErrorNotice error={error} />
      {apps === undefined && error === undefined && <Loading />}
      {apps?.length === 0 && (
        <Nothing>
          Nothing has been published yet. <code>paceline publish FILE</code> does it.
        </Nothing>
      )}
      <ul className="pl-cards">
        {shown.map((app) => (
          <li key={app.name}>
            <Card app={app} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Card({ app: { name, version, kind, title, description, tags, author, channels } }: { app: ModuleView }) {
  const { paths } = useHost();
  return (
    <article className="pl-card">
      <h2>
        <Link to={paths.app(name)}>{title === '' ? name : title}</Link>
      </h2>
      <p>{description}</p>
      <p className="pl-faint">
        {kind} {name}@{version} by {author}
      </p>
      <p>
        {[...channels.map((channel) => `@${channel}`), ...tags].map((tag) => (
          <span key={tag} className="pl-tag">
            {tag}
          </span>
        ))}
      </p>
    </article>
  );
}

function fits({ name, title, description, tags }: ModuleView, text: string): boolean {
  const searched = [name, title, description, ...tags].join('\n').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => searched.includes(word));
}
