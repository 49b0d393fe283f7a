import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Messages, receiver } from '../support/messages.ts';
import { processesWith } from '../support/processes.ts';
import { deploymentOf, type TestNode } from '../support/recipes.ts';
import { System, type SystemRun } from '../support/system.ts';
import { until } from '../support/until.ts';

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

const gate = 'ss-get --timeout 0 ss:go';
const note = (phase: string): string => `echo ${phase} $SLIPSTREAM_SCALING_VMS >> "$HOME/ran"`;

/** A machine that stays, and three of a node that changes. One of their hooks waits until the test opens its gate. */
function scalable(gated: 'deploy' | 'onVmAdd' | 'preScale' | 'onVmRemove' | undefined): Record<string, TestNode> {
  const hook = (phase: string): string => `${note(phase)}\n${phase === gated ? gate : 'true'}`;
  const scripts = { onVmAdd: hook('onVmAdd'), onVmRemove: hook('onVmRemove') };
  return {
    front: { scripts: { deploy: note('deploy'), ...scripts } },
    web: {
      multiplicity: 3,
      scripts: {
        // The first three are there before anybody scales.
        deploy: `${note('deploy')}\n${gated === 'deploy' ? `test "$(ss-get id)" -le 3 || ${gate}` : 'true'}`,
        preScale: hook('preScale'),
        report: note('report'),
        ...scripts,
      },
    },
  };
}

async function ready(nodes: Record<string, TestNode>): Promise<SystemRun> {
  const run = await system.up(await deploymentOf(nodes, { scalable: true, parameters: { go: {} } }));
  await run.reaches('Ready');
  return run;
}

/** Waits until a scaling is over. @returns who takes part then */
async function settled(run: SystemRun): Promise<string[]> {
  const { instances, abort } = await until(async () => {
    const detail = await run.detail();
    assert.ok(detail.abort !== null || (detail.state === 'Ready' && detail.scaling === null), `the run is ${detail.state}`);
    return detail;
  });
  expect(abort).toBeNull();
  return instances.map(({ name }) => name);
}

/** Kills the server while somebody waits at the gate, starts another, and opens the gate. */
async function killAtGate(run: SystemRun): Promise<void> {
  await until(async () => assert.ok((await run.detail()).instances.some(({ blockedIn }) => blockedIn.includes('ss:go'))));
  await system.kill();
  await system.serve();
  await run.set('ss:go', 'now');
}

async function ranOn(run: SystemRun, name: string): Promise<string[]> {
  const machine = (await run.detail()).instances.find((instance) => instance.name === name)?.machineId ?? '';
  const home = join(system.localRoot, 'machines', machine);
  const [file] = globSync('**/ran', { cwd: home });
  return (await readFile(join(home, file ?? 'ran'), 'utf8')).trimEnd().split('\n');
}

/** On this host are the machines of those that take part, and no others. */
async function expectMachinesOf(run: SystemRun): Promise<void> {
  const ids = (await run.detail()).instances.map(({ machineId }) => machineId);
  const machines = (await readdir(join(system.localRoot, 'machines'))).filter((name) => ids.includes(name));
  expect(machines).toHaveLength(ids.length);
  const others = (): string[] =>
    processesWith(`${system.localRoot}/machines/`)
      .map(({ command }) => command)
      .filter((command) => !ids.some((id) => id !== null && command.includes(id)));
  await until(() => assert.deepEqual(others(), []), 15_000);
}

async function end(run: SystemRun): Promise<void> {
  await run.down();
  await run.reaches('Done');
}

describe('a server that is killed amid scaling', () => {
  it('goes on while machines are launched, and launches no second set', async () => {
    const run = await ready(scalable(undefined));
    const id = crypto.randomUUID();
    await run.scale('web', { add: 3 }, id);
    await system.kill();
    await system.serve();
    // Whoever has lost the answer asks again.
    expect((await run.scale('web', { add: 3 }, id)).instances).toEqual(['web.4', 'web.5', 'web.6']);
    expect(await settled(run)).toEqual(['front.1', 'web.1', 'web.2', 'web.3', 'web.4', 'web.5', 'web.6']);
    expect(await ranOn(run, 'web.5')).toEqual(['deploy', 'report']);
    expect(await ranOn(run, 'front.1')).toEqual(['deploy', 'onVmAdd web.4 web.5 web.6']);
    await expectMachinesOf(run);
    await end(run);
  });

  it.each(['deploy', 'onVmAdd'] as const)('goes on while machines come and %s runs, and nothing runs twice', async (gated) => {
    const run = await ready(scalable(gated));
    await run.scale('web', { add: 2 });
    await killAtGate(run);
    expect(await settled(run)).toEqual(['front.1', 'web.1', 'web.2', 'web.3', 'web.4', 'web.5']);
    expect(await ranOn(run, 'front.1')).toEqual(['deploy', 'onVmAdd web.4 web.5']);
    expect((await ranOn(run, 'web.1')).filter((line) => line.startsWith('onVmAdd'))).toEqual(['onVmAdd web.4 web.5']);
    expect((await ranOn(run, 'web.4')).filter((line) => !line.startsWith('report'))).toEqual(['deploy']);
    await expectMachinesOf(run);
    await end(run);
  });

  it.each(['preScale', 'onVmRemove'] as const)('goes on while machines go and %s runs, and nothing runs twice', async (gated) => {
    const run = await ready(scalable(gated));
    await run.scale('web', { removeIds: [1, 3] });
    await killAtGate(run);
    expect(await settled(run)).toEqual(['front.1', 'web.2']);
    expect(await ranOn(run, 'front.1')).toEqual(['deploy', 'onVmRemove web.1 web.3']);
    expect((await ranOn(run, 'web.2')).filter((line) => line.startsWith('onVm'))).toEqual(['onVmRemove web.1 web.3']);
    await expectMachinesOf(run);
    // Numbers are not used again, also not by the server that came after.
    expect((await run.scale('web', { add: 1 })).instances).toEqual(['web.4']);
    await settled(run);
    await end(run);
  });
});

it('from 3 to 30 machines and back, no message to a machine that stays is lost', async () => {
  const run = await ready({ front: receiver, web: { multiplicity: 3, scripts: { deploy: 'true' } } });
  await using messages = new Messages(run, 'front.1');
  const arrive = async (): Promise<void> => {
    const { arrived } = messages;
    await until(() => assert.ok(messages.arrived > arrived + 5));
  };
  await arrive();
  await run.scale('web', { count: 30 });
  expect(await settled(run)).toHaveLength(31);
  await arrive();
  await run.scale('web', { count: 3 });
  expect(await settled(run)).toEqual(['front.1', 'web.1', 'web.2', 'web.3']);
  await arrive();
  await messages.stop();
  await expectMachinesOf(run);
  await end(run);
});
