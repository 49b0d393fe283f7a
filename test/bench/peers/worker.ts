/** The connections of one role to one system: `worker.ts NAME`, driven over IPC. Times are CLOCK_MONOTONIC in ms, one for all processes. */
import assert from 'node:assert/strict';
import { peers } from './peers.ts';
import type { Member } from './peer.ts';

export type Command =
  | { do: 'connect'; endpoints: string[] }
  | { do: 'wait'; key: string; members: number }
  | { do: 'woken' }
  | { do: 'set'; key: string }
  | { do: 'sets'; key: string; ms: number }
  | { do: 'drizzle'; key: string; perSecond: number }
  | { do: 'meet'; kind: 'barrier' | 'exchange'; name: string };
export type Answer = { at: number; latencies: number[] };

const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const value = '.'.repeat(64);
const atOnce = 50;
const peer = peers.find(({ name }) => name === process.argv[2]);
assert.ok(peer !== undefined);
let members: Member[] = [];
let woken: Promise<number[]> = Promise.resolve([]);

async function carryOut(command: Command): Promise<Answer> {
  const started = now();
  switch (command.do) {
    case 'connect':
      for (let first = 0; first < command.endpoints.length; first += first === 0 ? 1 : atOnce) {
        const part = command.endpoints.slice(first, first === 0 ? 1 : first + atOnce);
        members.push(...(await Promise.all(part.map((endpoint, index) => peer!.connect(endpoint, first + index + 1)))));
      }
      break;
    case 'wait': {
      const waits = members.slice(0, command.members).map((member) => member.wait(command.key));
      woken = Promise.all(waits.map((wait) => wait.woken.then(now)));
      await Promise.all(waits.map((wait) => wait.armed));
      break;
    }
    case 'woken':
      return { at: now(), latencies: await woken };
    case 'set': {
      await members[0]?.set(command.key, value);
      return { at: started, latencies: [now() - started] };
    }
    case 'sets': {
      const latencies: number[] = [];
      const end = started + command.ms;
      await Promise.all(
        members.map(async (member, index) => {
          for (let at = started; at < end;) {
            await member.set(`${command.key}${peer!.name === 'Paceline' ? '' : index}`, value);
            const after = now();
            latencies.push(after - at);
            at = after;
          }
        }),
      );
      return { at: now() - started, latencies };
    }
    case 'drizzle': {
      // By all but the first, in turn, for as long as the process lives.
      let turn = 0;
      setInterval(() => void members[1 + (turn++ % (members.length - 1))]?.set(command.key, value), 1000 / command.perSecond);
      break;
    }
    case 'meet': {
      const { name, kind } = command;
      if (members[0]?.[kind] === undefined) break;
      const base = (await members[0]?.prepare?.(name)) ?? 0;
      const begun = now();
      const count = members.length;
      const counts = await Promise.all(
        members.map(async (member, at) => {
          const meeting = { name, index: at + 1, count, base };
          return kind === 'barrier' ? member.barrier(meeting) : member.exchange?.(meeting, value);
        }),
      );
      if (kind === 'exchange')
        assert.ok(
          counts.every((each) => each === count),
          'somebody has not got all addresses',
        );
      return { at: begun, latencies: [now() - begun] };
    }
  }
  return { at: started, latencies: [] };
}

process.on('message', (command: Command) => {
  carryOut(command).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(peer?.name, error);
      process.exit(1);
    },
  );
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit(1));
