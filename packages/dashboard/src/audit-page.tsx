import type { AuditEntry } from '@paceline/api';
import { ErrorNotice, Loading, Nothing, Time, useHost } from '@paceline/ui';
import { useCallback, useEffect, useState } from 'react';

const pageSize = 100;

/** Who has asked the server for which change: for its operators. */
export function AuditPage() {
  const { client } = useHost();
  const [entries, setEntries] = useState<AuditEntry[]>();
  const [hasMore, setHasMore] = useState(false);
  const [error, setError] = useState<Error>();
  const load = useCallback(
    async (shown: AuditEntry[]) => {
      const last = shown.at(-1);
      const older = await client.accounts.audit({ limit: pageSize, ...(last === undefined ? {} : { before: last.id }) });
      setEntries([...shown, ...older]);
      setHasMore(older.length === pageSize);
    },
    [client],
  );
  const show = useCallback(
    (shown: AuditEntry[]) =>
      load(shown).catch((failure: unknown) => setError(failure instanceof Error ? failure : new Error(String(failure)))),
    [load],
  );
  useEffect(() => void show([]), [show]);
  return (
    <section aria-labelledby="audit">
      <div className="pl-title">
        <h1 id="audit">Audit</h1>
        <button type="button" className="pl-button" onClick={() => void show([])}>
          Refresh
        </button>
      </div>
      <p className="pl-faint">Who has asked this server for which change. Entries are kept for a year.</p>
      <ErrorNotice error={error} />
      {entries === undefined && error === undefined && <Loading />}
      {entries?.length === 0 && <Nothing>Nobody has changed anything yet.</Nothing>}
      {entries !== undefined && entries.length > 0 && <Entries entries={entries} />}
      {hasMore && entries !== undefined && (
        <button type="button" className="pl-button" onClick={() => void show(entries)}>
          Show older ones
        </button>
      )}
    </section>
  );
}

function Entries({ entries }: { entries: AuditEntry[] }) {
  return (
    <div className="pl-table-box">
      <table className="pl-table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Of</th>
            <th scope="col">Answer</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ id, at, actor, operation, subject, status }) => (
            <tr key={id}>
              <td>
                <Time at={at} />
              </td>
              <th scope="row">{actor}</th>
              <td>{words(operation)}</td>
              <td className="pl-value">{subject}</td>
              <td>{status < 400 ? 'done' : `refused (${status})`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** `createToken` as `create token`. */
function words(operation: string): string {
  return operation.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
