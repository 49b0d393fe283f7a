import type { Contest, Metric } from './contest.ts';
import type { Peer } from './peers/peer.ts';
import { columns } from './table.ts';

interface Column {
  title: string;
  digits: number;
  limit: string;
}

const described: Record<Metric, Column> = {
  wake: { title: 'wake p50, ms', digits: 2, limit: 'three hops between processes, one fsync' },
  'wake p99': { title: 'wake p99, ms', digits: 1, limit: 'whoever else has the cores' },
  ack: { title: 'ack p50, ms', digits: 2, limit: 'the fsync' },
  'fan-out': { title: 'fan-out, ms', digits: 0, limit: 'one write to a socket for each waiter, and the one process that reads them all' },
  'fan-out CPU': { title: 'server, us a waiter', digits: 0, limit: 'to register a wait and to end it; 10 ms ticks' },
  barrier: { title: 'barrier, ms', digits: 0, limit: 'a row for each member, three statements' },
  'barrier CPU': { title: 'server, us a member', digits: 0, limit: 'SQLite; 10 ms ticks' },
  exchange: { title: 'exchange, ms', digits: 0, limit: 'bytes: all addresses to all members, read by one process' },
  sets: { title: 'sets/s', digits: 0, limit: 'three SQLite statements a set, on one core' },
};

/** Every system's figures, and how many times as long (or as fast, for rates) ours takes. */
export function printContest(title: string, { results, missing, failures, foreign }: Contest, peers: readonly Peer[], ours: string): void {
  const own = results.get(ours);
  const shown = Object.entries(described).filter(([metric]) => own?.has(metric as Metric)) as [Metric, Column][];
  const rows = [...results].map(([name, figures]) => [
    name,
    ...shown.map(([metric, { digits }]) => {
      const [value, mine] = [figures.get(metric), own?.get(metric)];
      if (value === undefined || mine === undefined) return '-';
      return name === ours ? value.toFixed(digits) : `${value.toFixed(digits)} (${(mine / value).toFixed(2)})`;
    }),
    peers.find((peer) => peer.name === name)?.terms ?? '',
  ]);
  console.log(`\n${title}; in brackets: ${ours} as a multiple of it`);
  for (const line of columns([['', ...shown.map(([, each]) => each.title), ''], ...rows])) console.log(line);
  for (const [, each] of shown) console.log(`${each.title}: limited by ${each.limit}`);
  console.log(`Others took ${(foreign * 100).toFixed(0)} % of the host meanwhile.`);
  for (const failure of failures) console.log(`${failure}.`);
  if (missing.length > 0) console.log(`Not installed, so not in the table: ${missing.join(', ')}.`);
}
