import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { lost, machineGone } from '../launch/found.ts';
import { launchFailed } from '../launch/launch-failed.ts';
import { readParameter } from '../parameters/read.ts';
import { instanceOf } from '../run/apply.ts';
import { nodeOf, parameterOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { abortChanges, cancelAbortChanges } from './abort.ts';
import { isTimeOver } from './deadlines.ts';
import type { ScaleRequest } from './scale-request.ts';
import { scale } from './scale.ts';

const small = fc.nat(3);
const wish: fc.Arbitrary<ScaleRequest['wish']> = fc.oneof(
  fc.record({ add: small, tolerate: fc.constantFrom(undefined, 0, 1) }),
  fc.record({ remove: small }),
  fc.record({ count: small }),
  fc.record({ removeIds: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }) }),
);
const event = fc.oneof(
  fc.record({ kind: fc.constant('scale' as const), wish, repeated: fc.boolean(), atOnce: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('boot', 'join', 'complete', 'end', 'lose', 'refuse' as const), at: fc.nat(9) }),
  fc.record({ kind: fc.constantFrom('abort', 'cancel', 'time', 'settle' as const) }),
);

/** The run as a store gives it back. */
function restart(test: TestRun): void {
  const copy = JSON.parse(JSON.stringify({ facts: test.run.facts, instances: [...test.run.instances.values()] })) as Pick<
    TestRun['run'],
    'facts'
  > & {
    instances: { name: string }[];
  };
  test.run.facts = copy.facts;
  for (const instance of copy.instances) Object.assign(instanceOf(test.run, instance.name), instance);
  test.apply([]);
}

/** Everything that is waited for happens, until nothing changes any more. */
function settle(test: TestRun): void {
  for (let round = 0; round < 20; round++) {
    for (const instance of [...test.run.instances.values()]) {
      const { name, machine } = instance;
      if (machine.status === 'launched' && instance.dropped) test.apply(machineGone(test.run, instance, test.now));
      else if (machine.status === 'intended' && instance.dropped) test.apply(machineGone(test.run, instance, test.now));
      else if (machine.status === 'intended' && test.state === 'Provisioning') test.boot(name);
      if (machine.status === 'launched' && !instance.dropped && instance.keyHash === null) test.join(name);
      if (test.stepsOf(name).length > 0) test.complete(name);
    }
  }
}

function act(
  test: TestRun,
  step: typeof event extends fc.Arbitrary<infer T> ? T : never,
  requests: { id: string; instances: string[] }[],
): void {
  const { run, now } = test;
  if (step.kind === 'scale') {
    const last = requests.at(-1);
    const id = step.repeated && last !== undefined ? last.id : `request ${requests.length}`;
    try {
      const { changes, instances } = scale(run, { id, node: 'web', wish: step.wish }, { atOnce: step.atOnce }, now);
      if (id === last?.id) expect([changes, instances]).toEqual([[], last.instances]);
      else if (instances.length > 0) requests.push({ id, instances });
      test.apply(changes);
    } catch (error) {
      expect(error).toHaveProperty('code', expect.stringMatching(/^PACELINE_(CONFLICT|NOT_FOUND|REQUEST_INVALID|RUN_ABORTED)$/));
    }
    return;
  }
  if ('at' in step) {
    const instance = [...run.instances.values()].filter(({ machine }) => machine.status !== 'gone')[step.at];
    if (instance === undefined) return;
    const { status } = instance.machine;
    if (step.kind === 'boot' && status === 'intended') test.boot(instance.name);
    if (step.kind === 'join' && status === 'launched' && instance.keyHash === null && !instance.dropped) test.join(instance.name);
    if (step.kind === 'complete' && instance.keyHash !== null) test.complete(instance.name);
    if (step.kind === 'end' && instance.dropped) test.apply(machineGone(test.run, instance, now));
    if (step.kind === 'lose' && status === 'launched') test.apply(lost(run, instance, 'lost', now));
    if (step.kind === 'refuse') test.apply(launchFailed(instance, new ConnectorError('quota', 'full'), 0.5)(run, now));
    return;
  }
  if (step.kind === 'abort') test.apply(abortChanges(run, 'ss:abort', 'a test', now));
  if (step.kind === 'cancel' && !isTimeOver(run, now)) test.apply(cancelAbortChanges(run, 'ss:abort', now));
  if (step.kind === 'time') test.pass(20 * 60_000);
  if (step.kind === 'settle') settle(test);
}

it('however a run is scaled, aborted, hurt and restarted: numbers are used once, the members are those that are there, and it gets ready again', () => {
  fc.assert(
    fc.property(fc.nat(3), fc.array(event, { maxLength: 40 }), fc.boolean(), (webs, steps, restarts) => {
      const node = nodeOf({
        multiplicity: webs,
        maxProvisioningFailures: 1,
        parameters: { key: parameterOf({ secret: true, value: 'hush' }) },
      });
      const test = new TestRun(planOf({ front: nodeOf(), web: node }, { scalable: true, lifetimeMs: 1e12 }));
      settle(test);
      expect(test.state).toBe('Ready');
      const requests: { id: string; instances: string[] }[] = [];
      let highest = webs;
      for (const step of steps) {
        const before = new Set(test.run.instances.keys());
        act(test, step, requests);
        if (restarts) restart(test);
        for (const { name, index } of test.run.instances.values()) {
          if (before.has(name)) continue;
          expect(index).toBe(++highest);
          expect(readParameter(test.run, `${name}:key`).value).toBe('hush');
        }
        const there = [...test.run.instances.values()].filter((each) => each.node === 'web' && !each.dropped && !each.removing);
        expect(readParameter(test.run, 'web:ids').value).toBe(there.map(({ index }) => index).join(','));
        expect(readParameter(test.run, 'web:multiplicity').value).toBe(String(there.length));
        expect(['Ready', ...busy].includes(test.state)).toBe(true);
        expect(test.state === 'Ready' ? test.run.facts.scaling : 'not asked').toBe(test.state === 'Ready' ? null : 'not asked');
      }
      settle(test);
      expect(test.state).toBe('Ready');
      for (const instance of test.run.instances.values()) {
        const { status } = instance.machine;
        // Nobody is left who is neither there nor gone.
        expect(instance.dropped ? status === 'gone' : status === 'launched').toBe(true);
        expect(instance.removing && !instance.dropped).toBe(false);
      }
    }),
    { numRuns: 300 },
  );
});

const busy = ['Provisioning', 'Executing', 'SendingReports'];
