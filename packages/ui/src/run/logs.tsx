import { useCallback, useMemo, useState } from 'react';
import { useFeed } from '../data/use-feed.ts';
import { useHost } from '../host.tsx';
import { ErrorNotice, Nothing } from '../parts/notice.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';
import { linesOf, type LogLine } from './log-lines.ts';

/** So many pieces of output are kept on the page; the rest is a command away. */
const mostPieces = 5000;
/** How far back it begins. */
const tail = 1000;

/** What the scripts print, as they print it. */
export function Logs({ run, instance, names }: { run: string; instance: string | undefined; names: string[] }) {
  const { client } = useHost();
  const [of, setOf] = useState(instance ?? '');
  const [text, setText] = useState('');
  const [following, setFollowing] = useState(true);
  const follow = useCallback(
    (options: { after: number; signal: AbortSignal }) =>
      client.followLogs(run, { ...options, ...(options.after === 0 ? { tail } : {}), ...(of === '' ? {} : { instance: of }) }),
    [client, run, of],
  );
  const { items, error, ended } = useFeed(follow, mostPieces);
  const lines = useMemo(() => linesOf(items), [items]);
  const shown = useMemo(() => lines.filter((line) => line.text.toLowerCase().includes(text.toLowerCase())), [lines, text]);
  return (
    <>
      <div className="pl-filters">
        <label>
          Of
          <input list="pl-log-names" value={of} onChange={({ target }) => setOf(target.value)} placeholder="all instances" />
          <datalist id="pl-log-names">
            {names.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </label>
        <label>
          Search
          <input type="search" value={text} onChange={({ target }) => setText(target.value)} placeholder="text" />
        </label>
        <label className="pl-check">
          <input type="checkbox" checked={following} onChange={({ target }) => setFollowing(target.checked)} /> stay at the end
        </label>
        <span role="status" className="pl-count">
          {shown.length} lines{ended ? '' : ', live'}
        </span>
      </div>
      <ErrorNotice error={error} />
      {shown.length === 0 ? (
        <Nothing>{ended ? 'Nothing was printed.' : 'Nothing has been printed yet.'}</Nothing>
      ) : (
        <VirtualList
          count={shown.length}
          label="Output"
          rowHeight={20}
          follow={following}
          className="pl-log"
          keyOf={(index) => shown[index]?.key ?? index}
          row={(index) => {
            const line = shown[index];
            return line === undefined ? null : <Line line={line} search={text} />;
          }}
        />
      )}
    </>
  );
}

function Line({ line: { instance, text, stream }, search }: { line: LogLine; search: string }) {
  const at = search === '' ? -1 : text.toLowerCase().indexOf(search.toLowerCase());
  return (
    <code className="pl-line" data-stream={stream}>
      <span className="pl-faint">{instance}</span>
      <span>
        {at === -1 ? (
          text
        ) : (
          <>
            {text.slice(0, at)}
            <mark>{text.slice(at, at + search.length)}</mark>
            {text.slice(at + search.length)}
          </>
        )}
      </span>
    </code>
  );
}
