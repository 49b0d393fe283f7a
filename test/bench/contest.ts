import { availableParallelism } from 'node:os';
import { cpuSeconds, hostCpuSeconds } from './host.ts';
import { keys, meetings } from './peers/paceline.ts';
import type { Peer, Role, Running } from './peers/peer.ts';
import { WorkerProcess } from './peers/worker-process.ts';
import { quantile } from './table.ts';

/** What is measured of each system. Times in ms, rates a second. */
export type Metric = 'wake' | 'wake p99' | 'ack' | 'fan-out' | 'fan-out CPU' | 'barrier' | 'barrier CPU' | 'exchange' | 'sets';

export interface Contest {
  /** Medians over all rounds, by system. */
  results: Map<string, Map<Metric, number>>;
  missing: string[];
  /** Why some of them did not get to the end. */
  failures: string[];
  /** Processor time that others took meanwhile, as a share of the host: the median over the rounds. */
  foreign: number;
}

export interface Plan {
  members: number;
  writers: number;
  rounds: number;
  wakes: number;
  kinds: readonly ('wake' | 'fan-out' | 'barrier' | 'exchange' | 'sets')[];
}

const setsMs = 2000;

interface Contestant {
  peer: Peer;
  running: Running;
  writer: WorkerProcess;
  member: WorkerProcess;
  figures: Map<Metric, number[]>;
  /** It takes no part any more. */
  failure?: string;
}

/** All systems up at once, rounds in turn, so that what disturbs the host disturbs all of them. */
export async function contest(peers: readonly Peer[], plan: Plan): Promise<Contest> {
  const contestants: Contestant[] = [];
  const missing: string[] = [];
  const foreign: number[] = [];
  const names = { keys: keys.values(), meetings: meetings.values() };
  try {
    for (const peer of peers) {
      const running = await peer.start({ writer: plan.writers, member: plan.members });
      if (running === undefined) missing.push(peer.name);
      else {
        const contestant = {
          peer,
          running,
          writer: new WorkerProcess(peer.name),
          member: new WorkerProcess(peer.name),
          figures: new Map(),
        };
        contestants.push(contestant);
        await connect(contestant, 'writer', plan.writers);
        await connect(contestant, 'member', plan.members);
      }
    }
    for (let round = 0; round < plan.rounds; round++) {
      const wakes = plan.kinds.includes('wake') ? names.keys.take(plan.wakes).toArray() : [];
      const [fan, free] = names.keys.take(2).toArray() as [string, string];
      const [met, exchanged] = names.meetings.take(2).toArray() as [string, string];
      for (const contestant of contestants) {
        const before = [hostCpuSeconds(), cpuSeconds(process.pid), performance.now()] as const;
        for (const kind of plan.kinds) {
          if (contestant.failure !== undefined) break;
          const turn = {
            wake: () => wake(contestant, wakes),
            'fan-out': () => fanOut(contestant, fan, plan.members),
            barrier: () => meet(contestant, 'barrier', met, plan.members),
            exchange: () => meet(contestant, 'exchange', exchanged, plan.members),
            sets: () => sets(contestant, free),
          }[kind];
          await turn().catch((error: unknown) => (contestant.failure = `${contestant.peer.name} has failed at ${kind}: ${String(error)}`));
        }
        const [host, own, at] = [hostCpuSeconds() - before[0], cpuSeconds(process.pid) - before[1], performance.now() - before[2]];
        foreign.push(Math.max(0, host - own) / ((at / 1000) * availableParallelism()));
      }
    }
  } finally {
    for (const { writer, member } of contestants) {
      writer.stop();
      member.stop();
    }
    await Promise.all(contestants.map(({ running }) => running.stop()));
  }
  const results = new Map(
    contestants.map(({ peer, figures }) => [peer.name, new Map([...figures].map(([metric, values]) => [metric, quantile(values, 0.5)]))]),
  );
  return { results, missing, failures: contestants.flatMap(({ failure }) => failure ?? []), foreign: quantile(foreign, 0.5) };
}

async function connect({ running, writer, member }: Contestant, role: Role, count: number): Promise<void> {
  const endpoints = Array.from({ length: count }, (_, index) => running.endpoint(role, index + 1));
  await { writer, member }[role].ask({ do: 'connect', endpoints });
}

/** One that waits and one that sets, in processes of their own: from before the set to the waiter's being told. */
async function wake({ writer, member, figures }: Contestant, wakes: string[]): Promise<void> {
  const latencies: number[] = [];
  const acks: number[] = [];
  for (const key of wakes) {
    await member.ask({ do: 'wait', key, members: 1 });
    const set = await writer.ask({ do: 'set', key });
    const woken = await member.ask({ do: 'woken' });
    latencies.push((woken.latencies[0] ?? Number.NaN) - set.at);
    acks.push(set.latencies[0] ?? Number.NaN);
  }
  note(figures, 'wake', quantile(latencies, 0.5));
  note(figures, 'wake p99', quantile(latencies, 0.99));
  note(figures, 'ack', quantile(acks, 0.5));
}

/** All members wait for one key: from before the set to the last one's being told. */
async function fanOut({ running, writer, member, figures }: Contestant, key: string, members: number): Promise<void> {
  const cpu = cpuSeconds(running.pid);
  await member.ask({ do: 'wait', key, members });
  const set = await writer.ask({ do: 'set', key });
  const { latencies } = await member.ask({ do: 'woken' });
  note(figures, 'fan-out', Math.max(...latencies) - set.at);
  note(figures, 'fan-out CPU', ((cpuSeconds(running.pid) - cpu) * 1e6) / members);
}

async function meet({ running, member, figures }: Contestant, kind: 'barrier' | 'exchange', name: string, members: number): Promise<void> {
  const cpu = cpuSeconds(running.pid);
  const { latencies } = await member.ask({ do: 'meet', kind, name });
  if (latencies[0] === undefined) return;
  note(figures, kind, latencies[0]);
  if (kind === 'barrier') note(figures, 'barrier CPU', ((cpuSeconds(running.pid) - cpu) * 1e6) / members);
}

async function sets({ writer, figures }: Contestant, key: string): Promise<void> {
  const { at, latencies } = await writer.ask({ do: 'sets', key, ms: setsMs });
  note(figures, 'sets', (latencies.length * 1000) / at);
}

function note(figures: Map<Metric, number[]>, metric: Metric, value: number): void {
  figures.set(metric, [...(figures.get(metric) ?? []), value]);
}
