import type { CreatedToken, GrantView, TokenView } from '@paceline/api';
import { ActionButton, ErrorNotice, Loading, Nothing, useHost, useLoaded } from '@paceline/ui';
import { useCallback, useState, type FormEvent } from 'react';

/** Who one is, what one may, and the tokens that stand for one. */
export function AccessPage({ user }: { user: string }) {
  const { client } = useHost();
  const { value: me } = useLoaded(useCallback(() => client.accounts.me(), [client]));
  const { value: tokens, error, reload } = useLoaded(useCallback(() => client.accounts.tokens(), [client]));
  // The operator's token is no user, so it has no tokens of its own.
  const isUser = user !== 'operator';
  return (
    <section aria-labelledby="access">
      <h1 id="access">Access</h1>
      <p>
        You are <strong>{user}</strong>: {me === undefined ? '…' : rolesOf(me.grants)}.
      </p>
      <h2>Tokens</h2>
      <ErrorNotice error={error} />
      {isUser ? (
        <NewToken onMade={reload} />
      ) : (
        <Nothing>Tokens of users are made with the command: paceline token create --user NAME TITLE</Nothing>
      )}
      {tokens === undefined ? <Loading /> : <Tokens tokens={tokens} onRevoked={reload} />}
    </section>
  );
}

function Tokens({ tokens, onRevoked }: { tokens: TokenView[]; onRevoked: () => void }) {
  const { client } = useHost();
  if (tokens.length === 0) return <Nothing>There are none.</Nothing>;
  return (
    <div className="pl-table-box">
      <table className="pl-table">
        <thead>
          <tr>
            <th scope="col">Title</th>
            <th scope="col">User</th>
            <th scope="col">At most</th>
            <th scope="col">Ends</th>
            <th scope="col">Revoke</th>
          </tr>
        </thead>
        <tbody>
          {tokens.map(({ id, title, user, role, project, expiresAt }) => (
            <tr key={id}>
              <th scope="row">
                {title} <code className="pl-faint">{id.slice(0, 8)}</code>
              </th>
              <td>{user}</td>
              <td>{[role ?? 'what its user may', ...(project === null ? [] : [`in ${project}`])].join(' ')}</td>
              <td>{expiresAt === null ? 'never' : new Date(expiresAt).toLocaleDateString()}</td>
              <td>
                <ActionButton
                  tone="bad"
                  confirm={`Revoke ${title}?`}
                  action={async () => {
                    await client.accounts.revokeToken(id);
                    onRevoked();
                  }}
                >
                  Revoke
                </ActionButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const dayMs = 24 * 60 * 60_000;

function NewToken({ onMade }: { onMade: () => void }) {
  const { client } = useHost();
  const [title, setTitle] = useState('');
  const [days, setDays] = useState('90');
  const [state, setState] = useState<{ made?: CreatedToken; error?: Error }>({});
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    client.accounts
      .createToken({ title, expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() })
      .then((made) => {
        setState({ made });
        setTitle('');
        onMade();
      })
      .catch((error: unknown) => setState({ error: error instanceof Error ? error : new Error(String(error)) }));
  };
  return (
    <>
      <form className="pl-filters" onSubmit={submit} aria-label="New token">
        <label>
          For
          <input required maxLength={200} value={title} onChange={({ target }) => setTitle(target.value)} placeholder="my laptop" />
        </label>
        <label>
          Good for
          <select value={days} onChange={({ target }) => setDays(target.value)}>
            <option value="7">a week</option>
            <option value="90">90 days</option>
            <option value="365">a year</option>
          </select>
        </label>
        <button type="submit" className="pl-button">
          Make a token
        </button>
      </form>
      <ErrorNotice error={state.error} />
      {state.made !== undefined && (
        <div className="pl-notice" role="status">
          <strong>Keep it now, it is not shown again:</strong>
          <p>
            <code className="shell-token">{state.made.token}</code>
          </p>
        </div>
      )}
    </>
  );
}

function rolesOf(grants: readonly GrantView[]): string {
  if (grants.length === 0) return 'you have no role in any project yet';
  return grants.map(({ project, role }) => `${role} ${project === '*' ? 'everywhere' : `in ${project}`}`).join(', ');
}
