import type { SessionState } from '@paceline/api';
import { ErrorNotice } from '@paceline/ui';
import { useState, type FormEvent } from 'react';
import { logIn } from './server.ts';

/** Takes a token once; from then on a cookie that no script can read stands for it. */
export function LoginPage({ onLogin }: { onLogin: (session: SessionState) => void }) {
  const [token, setToken] = useState('');
  const [state, setState] = useState<{ busy: boolean; error?: Error }>({ busy: false });
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
