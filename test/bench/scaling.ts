import assert from 'node:assert/strict';
import { Messages, receiver } from '../support/messages.ts';
import { Person } from '../support/command.ts';
import { deploymentOf } from '../support/recipes.ts';
import { System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { ms, quantile, type Figure } from './table.ts';

const rounds = 5;

/** From `few` machines to `many` and back on `local`, while another machine of the run gets messages. */
export async function scaling(few: number, many: number): Promise<Figure> {
  const system = await System.start();
  try {
    const hook = 'ss-get web:ids > members';
    const deployment = await deploymentOf(
      {
        front: { ...receiver, scripts: { ...receiver.scripts, onVmAdd: hook, onVmRemove: hook } },
        web: { multiplicity: few, scripts: { deploy: 'true' } },
      },
      { scalable: true },
    );
    const run = await system.up(deployment);
    await run.reaches('Ready');
    await using messages = new Messages(run, 'front.1');
    await until(() => assert.ok(messages.arrived > 0));
    const scale = async (count: number): Promise<number> => {
      const begun = performance.now();
      await run.scale('web', { count });
      await until(async () => assert.equal((await run.detail()).state, 'Ready'));
      return (performance.now() - begun) / 1000;
    };
    const [up, down] = [await scale(many), await scale(few)];
    await messages.stop();
    await run.down();
    await run.reaches('Done');
    return {
      metric: `from ${few} to ${many} machines, and back`,
      value: `${up.toFixed(2)} s, ${down.toFixed(2)} s; ${messages.arrived} messages meanwhile, none lost`,
      limit: 'starts of processes, and the ends of machines',
    };
  } finally {
    await system.close();
  }
}

/** `paceline build` of what is built: the whole command, with an engine that runs already. */
export async function buildAgain(): Promise<Figure> {
  const person = await Person.arrive();
  try {
    const module = 'examples/load-balanced/web';
    const build = async (): Promise<number> => {
      const begun = performance.now();
      const { code, stdout, stderr } = await person.type(['build', module]);
      assert.equal(code, 0, stdout + stderr);
      return performance.now() - begun;
    };
    await build();
    const walls: number[] = [];
    for (let round = 0; round < rounds; round++) walls.push(await build());
    const { stdout } = await person.type(['list', '--json']);
    assert.equal((JSON.parse(stdout) as { runs: object[] }).runs.length, 1, 'a machine was started');
    return { metric: 'paceline build of what is built', value: ms(quantile(walls, 0.5), 0), limit: 'the start of the command; no machine' };
  } finally {
    await person.leave();
  }
}
