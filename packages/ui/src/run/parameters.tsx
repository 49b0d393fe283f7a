import type { ParameterView } from '@paceline/api';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useLoaded } from '../data/use-loaded.ts';
import { useHost } from '../host.tsx';
import { ErrorNotice, Loading, Nothing } from '../parts/notice.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';
import { rowsOf } from './parameter-groups.ts';

/** All values of the run by group: its own, each node's, each instance's. */
export function Parameters({ run, version }: { run: string; version: number }) {
  const { client } = useHost();
  const load = useCallback(() => client.parameters.list(run), [client, run]);
  const { value, error, reload } = useLoaded(load);
  useEffect(reload, [reload, version]);
  const [text, setText] = useState('');
  const [all, setAll] = useState(false);
  const rows = useMemo(() => rowsOf(value ?? [], { text, withUnset: all }), [value, text, all]);
  return (
    <>
      <div className="pl-filters">
        <label>
          Search
          <input type="search" value={text} onChange={({ target }) => setText(target.value)} placeholder="name or value" />
        </label>
        <label className="pl-check">
          <input type="checkbox" checked={all} onChange={({ target }) => setAll(target.checked)} /> also those without a value
        </label>
      </div>
      <ErrorNotice error={error} />
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined && rows.length === 0 && <Nothing>No parameter fits.</Nothing>}
      {rows.length > 0 && (
        <VirtualList
          count={rows.length}
          label="Parameters"
          rowHeight={30}
          keyOf={(index) => rows[index]?.key ?? index}
          row={(index) => {
            const row = rows[index];
            if (row === undefined) return null;
            return row.kind === 'group' ? <h2 className="pl-group">{row.key}</h2> : <Parameter parameter={row.parameter} name={row.name} />;
          }}
        />
      )}
    </>
  );
}

function Parameter({ parameter: { value, secret }, name }: { parameter: ParameterView; name: string }) {
  return (
    <div className="pl-parameter">
      <span>{name}</span>
      <span className={value === null ? 'pl-faint' : 'pl-value'}>{value ?? 'not set'}</span>
      {secret && <span className="pl-tag">secret</span>}
    </div>
  );
}
