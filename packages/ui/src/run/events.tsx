import type { EventView } from '@paceline/api';
import { useMemo, useState } from 'react';
import type { Feed } from '../data/use-feed.ts';
import { ErrorNotice, Nothing } from '../parts/notice.tsx';
import { Time } from '../parts/time.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';

/** What happened, the newest first. */
export function Events({ feed: { items, error } }: { feed: Feed<EventView> }) {
  const [text, setText] = useState('');
  const [severe, setSevere] = useState(false);
  const shown = useMemo(
    () =>
      items
        .filter(
          ({ severity, message, type }) =>
            (!severe || severity !== 'info') && `${type}\n${message}`.toLowerCase().includes(text.toLowerCase()),
        )
        .toReversed(),
    [items, text, severe],
  );
  return (
    <>
      <div className="pl-filters">
        <label>
          Search
          <input type="search" value={text} onChange={({ target }) => setText(target.value)} />
        </label>
        <label className="pl-check">
          <input type="checkbox" checked={severe} onChange={({ target }) => setSevere(target.checked)} /> warnings and errors only
        </label>
        <span role="status" className="pl-count">
          {shown.length} events
        </span>
      </div>
      <ErrorNotice error={error} />
      {shown.length === 0 ? (
        <Nothing>No event fits.</Nothing>
      ) : (
        <VirtualList
          count={shown.length}
          label="Events"
          rowHeight={30}
          keyOf={(index) => shown[index]?.seq ?? index}
          row={(index) => {
            const event = shown[index];
            return event === undefined ? null : <EventRow event={event} />;
          }}
        />
      )}
    </>
  );
}

function EventRow({ event: { at, severity, message, data } }: { event: EventView }) {
  const by = data['by'];
  return (
    <div className="pl-event" data-severity={severity}>
      <Time at={at} short />
      <span>
        {severity !== 'info' && <strong>{severity}: </strong>}
        {message}
        {typeof by === 'string' && !message.includes(by) && <span className="pl-faint"> (by {by})</span>}
      </span>
    </div>
  );
}
