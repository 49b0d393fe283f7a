import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type ReactNode } from 'react';

interface VirtualListProps {
  count: number;
  /** Of the whole list, for screen readers. */
  label: string;
  /** Of one row, in pixels, as a first guess. */
  rowHeight: number;
  row: (index: number) => ReactNode;
  /** A name for a row that stays with it. */
  keyOf: (index: number) => string | number;
  /** Stay at the end when more comes, unless the reader has scrolled up. */
  follow?: boolean;
  className?: string;
}

/** A list of which only what can be seen is in the page: a hundred thousand rows cost as much as thirty. */
export function VirtualList({ count, label, rowHeight, row, keyOf, follow = false, className = '' }: VirtualListProps) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    getItemKey: keyOf,
    overscan: 8,
    initialRect: { width: 800, height: 480 },
  });
  useEffect(() => {
    if (follow && atEnd.current && count > 0) rows.scrollToIndex(count - 1, { align: 'end' });
  }, [follow, count, rows]);
  const onScroll = (): void => {
    const element = box.current;
    if (element !== null) atEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - 2 * rowHeight;
  };
  return (
    <div className={`pl-scroll ${className}`} ref={box} onScroll={onScroll} tabIndex={0} role="group" aria-label={label}>
      <div role="list" aria-label={label} style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, key, start }) => (
          <div
            key={key}
            role="listitem"
            aria-setsize={count}
            aria-posinset={index + 1}
            data-index={index}
            ref={rows.measureElement}
            className="pl-virtual-row"
            style={{ transform: `translateY(${start}px)` }}
          >
            {row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
