/** A process that plays machines of the light cloud: `members.ts ROLE`, driven over IPC. Times are CLOCK_MONOTONIC in ms, one for all processes. */
import { LightAgent, type LightConfig } from '../support/light-agent.ts';

export type Command =
  | { do: 'join'; configs: LightConfig[] }
  | { do: 'wait'; key: string }
  | { do: 'set'; key: string; value: string }
  | { do: 'sets'; seconds: number; name: string };
export type Answer = { at: number; count?: number; latencies?: number[] };

const now = (): number => Number(process.hrtime.bigint()) / 1e6;
let members: LightAgent[] = [];

async function carryOut(command: Command): Promise<Answer> {
  switch (command.do) {
    case 'join': {
      members = command.configs.map((config) => new LightAgent(config));
      for (const member of members) {
        await member.join();
        await member.connect();
      }
      return { at: now() };
    }
    case 'wait': {
      const [member] = members;
      if (member === undefined) throw new Error('nobody has joined');
      const woken = new Promise<number>((resolve) => {
        member.on = (event) => {
          if (event === 'value') resolve(now());
        };
      });
      await member.say({ op: 'get', key: command.key, wait: true, ignoreAbort: false });
      process.send?.({ at: 0 });
      return { at: await woken };
    }
    case 'set': {
      const at = now();
      await members[0]?.say({ op: 'set', key: command.key, value: command.value, secret: false, ignoreAbort: false });
      return { at, latencies: [now() - at] };
    }
    case 'sets': {
      const end = now() + command.seconds * 1000;
      const latencies: number[] = [];
      await Promise.all(
        members.map(async (member) => {
          const key = `${member.config.instance}:${command.name}`;
          for (let value = 1; ; value++) {
            const at = now();
            if (at >= end) return;
            await member.say({ op: 'set', key, value: String(value).padStart(64, '.'), secret: false, ignoreAbort: false });
            latencies.push(now() - at);
          }
        }),
      );
      return { at: now(), count: latencies.length, latencies };
    }
  }
}

process.on('message', (command: Command) => {
  carryOut(command).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
