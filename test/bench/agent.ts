import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { processesWith } from '../support/processes.ts';
import { deploymentOf } from '../support/recipes.ts';
import { repository, System } from '../support/system.ts';
import { ms, quantile, type Figure } from './table.ts';

/** The agent's size and memory, the time from its launch to its join, and what an `ss-get` costs a script. */
export async function agent(): Promise<Figure[]> {
  const bundle = readFileSync(join(repository, 'vm-agent/dist/agent.cjs'));
  const system = await System.start();
  try {
    const calls = 60;
    const time = (name: string, command: string): string =>
      `for i in $(seq ${calls}); do a=$(date +%s%N); ${command} > /dev/null; b=$(date +%s%N); echo "${name} $((b - a))"; done`;
    const bare = `printf '#!/bin/sh\\nexit 0\\n' > bare; chmod +x bare`;
    const run = await system.up(
      await deploymentOf({
        a: {
          parameters: { x: { default: '1' } },
          scripts: { deploy: `${bare}\n${time('warm', './bare')}\n${time('bare', './bare')}\n${time('get', 'ss-get x')}` },
        },
      }),
    );
    await run.reaches('Ready');
    const joined = joinMs(await run.events());
    const lines = (await run.output('a.1'))
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    const of = (name: string): number =>
      quantile(
        lines.flatMap(([kind, value]) => (kind === name ? [Number(value) / 1e6] : [])),
        0.5,
      );
    const [resident] = processesWith(`${system.localRoot}/`).filter(
      ({ command }) => command.includes('reside') && command.includes('node'),
    );
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${resident?.pid}/status`, 'utf8'))?.[1];
    return [
      { metric: 'agent bundle, minified / gzip', value: `${bundle.length} / ${gzipSync(bundle).length} B`, limit: 'aim 60 kB / 20 kB' },
      { metric: 'agent resident memory', value: `${(Number(rss) / 1024).toFixed(0)} MiB`, limit: 'Node itself; aim 50 MiB' },
      { metric: 'launch to joined, one machine', value: ms(joined, 0), limit: 'the start of Node' },
      {
        metric: 'ss-get of a set value / bare sh start, p50',
        value: `${ms(of('get'), 1)} / ${ms(of('bare'), 1)}`,
        limit: 'the start of curl',
      },
    ];
  } finally {
    await system.close();
  }
}

function joinMs(events: { type: string; at: string }[]): number {
  const at = (type: string): number => Date.parse(events.find((event) => event.type === type)?.at ?? '');
  return at('instance.joined') - at('run.created');
}
