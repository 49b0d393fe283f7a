import { everyProject, type SessionState } from '@paceline/api';
import { Link, PageLinks } from '@paceline/ui';
import icon from './icon.svg';
import type { Route } from './route.ts';
import { may } from './may.ts';
import { logOut } from './server.ts';

export function Head({ route, session, onLogout }: { route: Route; session: SessionState; onLogout: () => void }) {
  return (
    <header className="shell-head">
      <span className="shell-brand">
        <img src={icon} alt="" /> Paceline
      </span>
      <nav aria-label="Pages">
        <PageLinks root="" page={route.page} />
        <Link to="/access" current={route.page === 'access'}>
          Access
        </Link>
        {may(session, 'operator', everyProject) && (
          <Link to="/audit" current={route.page === 'audit'}>
            Audit
          </Link>
        )}
      </nav>
      <span className="shell-user">
        <span>{session.name}</span>
        <button type="button" className="pl-button" onClick={() => void logOut().finally(onLogout)}>
          Log out
        </button>
      </span>
    </header>
  );
}
