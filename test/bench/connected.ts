import { residentMiB } from './host.ts';
import { keys, paceline } from './peers/paceline.ts';
import { WorkerProcess } from './peers/worker-process.ts';
import { ms, quantile, type Figure } from './table.ts';

const writers = 50;
const wakes = 300;
const perSecond = 100;

/** A server with so many agents connected over sockets: its memory, and how soon waiters are told while values change all the time. */
export async function connected(agents: number): Promise<Figure[]> {
  const running = await paceline.start({ writer: writers, member: agents - writers });
  if (running === undefined) return [];
  const [writer, member] = [new WorkerProcess(paceline.name), new WorkerProcess(paceline.name)];
  try {
    const endpoints = (role: 'writer' | 'member', count: number): string[] =>
      Array.from({ length: count }, (_, index) => running.endpoint(role, index + 1));
    const started = performance.now();
    await writer.ask({ do: 'connect', endpoints: endpoints('writer', writers) });
    await member.ask({ do: 'connect', endpoints: endpoints('member', agents - writers) });
    const joining = performance.now() - started;
    await writer.ask({ do: 'drizzle', key: keys[0] ?? '', perSecond });
    const latencies: number[] = [];
    for (const key of keys.slice(1, wakes + 1)) {
      await member.ask({ do: 'wait', key, members: 1 });
      const set = await writer.ask({ do: 'set', key });
      latencies.push(((await member.ask({ do: 'woken' })).latencies[0] ?? Number.NaN) - set.at);
    }
    return [
      {
        metric: `${agents} agents connected: server memory`,
        value: `${residentMiB(running.pid).toFixed(0)} MiB`,
        limit: 'a socket and its buffers, an instance and a session each; goal 150 MB at 1,000 and 600 MB at 10,000',
      },
      {
        metric: `${agents} agents: joined and connected`,
        value: `${(joining / 1000).toFixed(1)} s, ${ms(joining / agents)} each`,
        limit: 'two requests and two commits each, 50 at a time',
      },
      {
        metric: `${agents} agents, ${perSecond} sets a second: wake p50 / p99`,
        value: `${ms(quantile(latencies, 0.5))} / ${ms(quantile(latencies, 0.99))}`,
        limit: 'the longest turn of the one event loop; goal p99 250 ms',
      },
    ];
  } finally {
    writer.stop();
    member.stop();
    await running.stop();
  }
}
