import { readFileSync } from 'node:fs';
import { deploymentOf } from '../support/recipes.ts';
import { System } from '../support/system.ts';
import { quantile, type Figure } from './table.ts';

const rounds = 3;

/**
 * W(N): N machines start, publish an address, get all addresses and a token from the first, write a hosts file, pass a ready
 * barrier. Wall time from the request to Ready, CPU time of everything that took part.
 */
export async function cluster(size: number): Promise<Figure> {
  const system = await System.start();
  try {
    const deployment = await deploymentOf(
      {
        first: { parameters: { token: { output: true } }, scripts: { deploy: 'ss-random --size 32 token > /dev/null' } },
        wn: {
          multiplicity: size,
          parameters: { address: { output: true }, ready: { output: true }, token: {} },
          inputs: { token: { from: 'first:token' } },
          scripts: {
            deploy: `
ss-set address "$(ss-get hostname)"
ss-get token > hosts
ss-get-all wn address >> hosts
ss-set ready true
test "$(ss-get-all wn ready | grep -c true)" -eq ${size}`,
          },
        },
      },
      { keepRunning: 'always' },
    );
    const walls: number[] = [];
    const cpus: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [wall, cpu] = [performance.now(), hostCpuSeconds()];
      const run = await system.up(deployment);
      await run.reaches('Ready');
      walls.push(performance.now() - wall);
      cpus.push(hostCpuSeconds() - cpu);
      await run.down();
      await run.reaches('Done');
    }
    return {
      metric: `${size} + 1 machines with exchange and barrier, to Ready`,
      value: `${(quantile(walls, 0.5) / 1000).toFixed(2)} s wall, ${quantile(cpus, 0.5).toFixed(2)} s CPU`,
      limit: 'starts of sh and curl, six for each machine',
    };
  } finally {
    await system.close();
  }
}

/** User and system time that the whole host has spent, in seconds: what others do on it counts too. */
function hostCpuSeconds(): number {
  const [, user = '0', nice = '0', kernel = '0'] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/);
  return (Number(user) + Number(nice) + Number(kernel)) / 100;
}
