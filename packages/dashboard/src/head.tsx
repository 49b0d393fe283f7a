import { Link } from '@paceline/ui';
import icon from './icon.svg';
import type { Route } from './route.ts';
import { logOut } from './server.ts';

const pages: { path: string; label: string; shows: Route['page'][] }[] = [
  { path: '/runs', label: 'Runs', shows: ['runs', 'run'] },
  { path: '/apps', label: 'App store', shows: ['apps', 'app'] },
  { path: '/clouds', label: 'Clouds', shows: ['clouds'] },
  { path: '/access', label: 'Access', shows: ['access'] },
];

export function Head({ route, user, onLogout }: { route: Route; user: string; onLogout: () => void }) {
  return (
    <header className="shell-head">
      <span className="shell-brand">
        <img src={icon} alt="" /> Paceline
      </span>
      <nav aria-label="Pages">
        {pages.map(({ path, label, shows }) => (
          <Link key={path} to={path} current={shows.includes(route.page)}>
            {label}
          </Link>
        ))}
      </nav>
      <span className="shell-user">
        <span>{user}</span>
        <button type="button" className="pl-button" onClick={() => void logOut().finally(onLogout)}>
          Log out
        </button>
      </span>
    </header>
  );
}
