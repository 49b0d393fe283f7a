import type { SessionState } from '@paceline/api';
import { ErrorNotice, useLoaded } from '@paceline/ui';
import { useState, type FormEvent } from 'react';
import { logIn, waysIn } from './server.ts';

/** Why a login provider's login came to nothing, by the code that the server has put into the address. */
const failures: Record<string, string> = {
  PACELINE_FORBIDDEN: 'The login provider or the server does not let you in.',
  PACELINE_UNREACHABLE: 'The login provider does not answer.',
};

function failureIn(search: string): Error | undefined {
  const code = new URLSearchParams(search).get('failed');
  return code === null ? undefined : new Error(failures[code] ?? 'The login has failed. Try again.');
}

/** Leads to the login provider, or takes a token once; from then on a cookie that no script can read stands for it. */
export function LoginPage({ onLogin }: { onLogin: (session: SessionState) => void }) {
  const [token, setToken] = useState('');
  const [state, setState] = useState<{ busy: boolean; error?: Error | undefined }>({ busy: false, error: failureIn(location.search) });
  const { value: ways } = useLoaded(waysIn);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setState({ busy: true });
    logIn(token.trim()).then(onLogin, (error: unknown) =>
      setState({ busy: false, error: error instanceof Error ? error : new Error(String(error)) }),
    );
  };
  return (
    <main className="shell-login">
      <h1>Paceline</h1>
      {ways !== undefined && ways.oidc !== null && (
        <p>
          <a className="pl-button" data-tone="main" href="/api/login/oidc">
            {ways.oidc.title}
          </a>
        </p>
      )}
      <p>
        Log in with a token of yours. An operator makes one with <code>paceline token create</code>.
      </p>
      <form onSubmit={submit}>
        <label>
          Token
          <input type="password" autoComplete="current-password" required value={token} onChange={({ target }) => setToken(target.value)} />
        </label>
        <ErrorNotice error={state.error} />
        <button type="submit" className="pl-button" data-tone="main" disabled={state.busy}>
          Log in
        </button>
      </form>
    </main>
  );
}
