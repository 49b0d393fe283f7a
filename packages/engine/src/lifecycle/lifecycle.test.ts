import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientServerPlan, imageOf, nodeOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { lost, machineBack } from '../launch/found.ts';
import { abortChanges, cancelAbortChanges } from './abort.ts';
import { end, terminate } from './advance.ts';

const minute = 60_000;

describe('a run that goes well', () => {
  it('passes the states in order, each when all instances have completed the one before', () => {
    const test = new TestRun(clientServerPlan(2));
    expect(test.state).toBe('Provisioning');
    test.provision();
    expect(test.state).toBe('Executing');
    test.complete('apache.1');
    test.complete('testclient.1');
    expect(test.state).toBe('Executing');
    test.complete('testclient.2');
    expect(test.state).toBe('SendingReports');
    for (const name of test.run.instances.keys()) test.complete(name);
    expect(test.state).toBe('Ready');
    expect(test.states).toEqual(['Provisioning', 'Executing', 'SendingReports', 'Ready']);
  });

  it('stays in Provisioning until every machine has an address and has called home', () => {
    const test = new TestRun(clientServerPlan());
    test.boot('apache.1');
    test.join('apache.1');
    test.join('testclient.1');
    expect(test.state).toBe('Provisioning');
    test.boot('testclient.1');
    expect(test.state).toBe('Executing');
  });

  it('does not wait in Executing for images without scripts', () => {
    const test = new TestRun(planOf({ plain: nodeOf({ image: imageOf({ scripts: {} }) }) }));
    test.provision();
    expect(test.state).toBe('SendingReports');
  });

  it('keeps a barrier shut until the last instance, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['apache.1', 'testclient.1', 'testclient.2', 'testclient.3'], { minLength: 4 }), (order) => {
        const test = new TestRun(clientServerPlan(3));
        test.provision();
        for (const name of order) {
          expect(test.state).toBe('Executing');
          test.complete(name);
          test.complete(name);
        }
        expect(test.state).toBe('SendingReports');
      }),
    );
  });

  it('runs the steps of ancestors first and a report at the end', () => {
    const script = (path: string) => ({ path, text: `#!/bin/sh\n# ${path}\n` });
    const image = {
      ...imageOf(),
      layers: [
        { module: 'base', packages: ['curl'], scripts: { deploy: script('a'), preInstall: script('b') } },
        { module: 'child', packages: [], scripts: { deploy: script('c'), report: script('d') } },
      ],
    };
    const test = new TestRun(planOf({ n: nodeOf({ image }) }));
    test.provision();
    expect(test.stepsOf('n.1')).toEqual(['preInstall-0', 'packages-0', 'deploy-0', 'deploy-1']);
    test.complete('n.1');
    expect(test.stepsOf('n.1')).toEqual(['report-1', 'report-upload']);
  });
});

describe('keepRunning', () => {
  it.each([
    ['always', false, 'Ready'],
    ['on-success', false, 'Ready'],
    ['on-error', false, 'Done'],
    ['never', false, 'Done'],
    ['always', true, 'Ready'],
    ['on-success', true, 'Aborted'],
    ['on-error', true, 'Ready'],
    ['never', true, 'Aborted'],
  ] as const)('%s, failed: %s -> %s', (keepRunning, failed, expected) => {
    const test = new TestRun(clientServerPlan(1, { keepRunning }));
    test.provision();
    if (failed) test.apply(abortChanges(test.run, 'apache.1:abort', 'no luck', test.now));
    for (const _state of ['Executing', 'SendingReports']) for (const name of test.run.instances.keys()) test.complete(name);
    if (expected !== 'Ready') {
      expect(test.state).toBe('Finalizing');
      test.vanish();
    }
    expect(test.state).toBe(expected);
  });
});

describe('abort', () => {
  it('lets the first reason win and still sends reports', () => {
    const test = new TestRun(clientServerPlan());
    test.provision();
    test.apply(abortChanges(test.run, 'apache.1:abort', 'first', test.now));
    test.apply(abortChanges(test.run, 'testclient.1:abort', 'second', test.now));
    expect(test.run.facts.abort).toMatchObject({ reason: 'first', source: 'apache.1:abort' });
    expect(test.instance('testclient.1').abort).toBe('second');
    expect(test.state).toBe('Executing');
    test.complete('apache.1');
    test.complete('testclient.1');
    expect(test.state).toBe('SendingReports');
    expect(test.stepsOf('apache.1')).toEqual(['report-upload']);
  });

  it('keeps as much of a reason as people read', () => {
    const test = new TestRun(clientServerPlan());
    test.provision();
    test.apply(abortChanges(test.run, 'apache.1:abort', 'x'.repeat(1024 * 1024), test.now));
    for (const kept of [test.run.facts.abort?.reason, test.instance('apache.1').abort]) expect(kept).toBe(`${'x'.repeat(8192)}…`);
    expect(test.events.at(-1)?.message.length).toBeLessThan(8300);
  });

  it('skips recipes when it comes while machines are being provisioned, and waits only for those that have joined', () => {
    const test = new TestRun(clientServerPlan());
    test.boot('apache.1');
    test.join('apache.1');
    test.apply(abortChanges(test.run, 'testclient.1:abort', 'no machine', test.now));
    expect(test.run.facts.recovery).toBe(true);
    expect(test.state).toBe('SendingReports');
    test.complete('apache.1');
    expect(test.states).toEqual(['Provisioning', 'Executing', 'SendingReports', 'Ready', 'Finalizing']);
    test.vanish();
    expect(test.state).toBe('Aborted');
  });

  it('can be cancelled', () => {
    const test = new TestRun(clientServerPlan(1, { keepRunning: 'always' }));
    test.provision();
    test.apply(abortChanges(test.run, 'apache.1:abort', 'oops', test.now));
    test.apply(cancelAbortChanges(test.run, 'apache.1:abort', test.now));
    expect(test.run.facts.abort).toBeNull();
    expect(test.instance('apache.1').abort).toBeNull();
    expect(test.events.at(-1)?.message).toBe("Reset abort from 'apache.1'");
  });

  it('stays when the time is over, and leaves time for the evidence however late that is noticed', () => {
    const test = new TestRun(clientServerPlan(1, { timeoutMs: 2 * minute }));
    test.provision();
    test.pass(20 * minute);
    expect(test.run.facts.abort?.reason).toContain('The run has timed out');
    expect(() => cancelAbortChanges(test.run, 'ss:abort', test.now)).toThrow('the time for Executing is over');
    test.pass(14_999);
    expect(test.state).toBe('Executing');
    test.pass(1);
    expect(test.state).toBe('SendingReports');
  });

  it('that was for a machine that is back can be cancelled, and the machine is waited for again', () => {
    const test = new TestRun(clientServerPlan(1));
    test.provision();
    test.apply(lost(test.run, test.instance('apache.1'), 'it does not answer', test.now));
    test.apply(machineBack(test.instance('apache.1'), test.now));
    test.apply(cancelAbortChanges(test.run, 'apache.1:abort', test.now));
    test.complete('testclient.1');
    expect(test.state).toBe('Executing');
    test.complete('apache.1');
    expect(test.state).toBe('SendingReports');
  });

  it('goes on without instances that do not heed it', () => {
    const test = new TestRun(clientServerPlan());
    test.provision();
    test.apply(abortChanges(test.run, 'apache.1:abort', 'oops', test.now));
    test.complete('apache.1');
    test.pass(minute - 1);
    expect(test.state).toBe('Executing');
    test.pass(1);
    expect(test.state).toBe('SendingReports');
    expect(test.events.find(({ type }) => type === 'instance.notice')?.message).toBe(
      'The run goes on without waiting any longer for testclient.1 in Executing',
    );
  });
});

describe('time', () => {
  it('aborts a state that lasts too long and names who is waited for', () => {
    const test = new TestRun(clientServerPlan(1, { timeoutMs: 5 * minute }));
    test.provision();
    test.complete('apache.1');
    test.pass(5 * minute);
    expect(test.run.facts.abort?.reason).toBe('The run has timed out: 5 min in Executing, waiting for testclient.1');
  });

  it.each([
    ['never', 'Aborted'],
    ['on-success', 'Aborted'],
    ['on-error', 'Ready'],
  ] as const)('counts reports that do not come as a failure: keepRunning %s ends %s', (keepRunning, expected) => {
    const test = new TestRun(clientServerPlan(1, { keepRunning, timeoutMs: minute }));
    test.provision();
    for (const name of test.run.instances.keys()) test.complete(name);
    test.pass(minute);
    expect(test.run.facts.abort?.reason).toMatch(/^The run has timed out: 1 min in SendingReports/);
    if (expected !== 'Ready') test.vanish();
    expect(test.state).toBe(expected);
  });

  it('ends a run that nobody answers in', () => {
    const test = new TestRun(clientServerPlan(1, { timeoutMs: minute }));
    test.provision();
    for (let passed = 0; passed < 10 && test.state !== 'Finalizing'; passed++) test.pass(minute);
    test.vanish();
    expect(test.state).toBe('Aborted');
  });

  it('names a machine that does not call home', () => {
    const test = new TestRun(clientServerPlan());
    test.boot('apache.1');
    test.join('apache.1');
    test.boot('testclient.1');
    test.pass(10 * minute);
    expect(test.run.facts.abort).toMatchObject({
      source: 'testclient.1:abort',
      reason: 'testclient.1 did not call home within 10 min of its launch',
    });
  });

  it('goes on without a machine whose failure is tolerated', () => {
    const test = new TestRun(planOf({ worker: nodeOf({ multiplicity: 2, maxProvisioningFailures: 1 }) }));
    test.boot('worker.1');
    test.join('worker.1');
    test.boot('worker.2');
    test.pass(10 * minute);
    expect(test.run.facts.abort).toBeNull();
    expect(test.instance('worker.2').dropped).toBe(true);
    expect(test.state).toBe('Executing');
  });

  it('takes a Ready run down at the end of its lifetime, and aborts one that is not Ready', () => {
    const ready = new TestRun(planOf({ n: nodeOf({ image: imageOf({ scripts: {} }) }) }, { lifetimeMs: 10 * minute }));
    ready.provision();
    ready.complete('n.1');
    ready.pass(10 * minute);
    expect([ready.state, ready.run.facts.outcome]).toEqual(['Finalizing', 'Done']);
    const late = new TestRun(clientServerPlan(1, { lifetimeMs: 10 * minute }));
    late.provision();
    late.pass(10 * minute);
    expect([late.state, late.run.facts.outcome]).toEqual(['Finalizing', 'Aborted']);
  });
});

describe('termination', () => {
  it('is no good end of a build without its image, whether somebody wanted it or the machine is lost', () => {
    const atWork = (): TestRun => {
      const test = new TestRun(planOf({ n: nodeOf({ image: imageOf({ scripts: {} }) }) }, { build: { digest: 'd' } }));
      test.provision();
      test.complete('n.1');
      test.complete('n.1');
      expect(test.state).toBe('Ready');
      return test;
    };
    const ended = atWork();
    ended.apply(terminate(ended.run, 'a user', ended.now));
    expect(ended.run.facts.outcome).toBe('Cancelled');
    const alone = atWork();
    alone.apply(lost(alone.run, alone.instance('n.1'), 'its machine is gone', alone.now));
    expect([alone.run.facts.outcome, alone.run.facts.abort?.reason]).toEqual(['Aborted', 'n.1 is lost: its machine is gone']);
  });

  it('cancels a run on its way at once', () => {
    const test = new TestRun(clientServerPlan());
    test.apply(end(test.run, 'Cancelled', 'a user', test.now));
    expect(test.state).toBe('Finalizing');
    test.vanish();
    expect(test.state).toBe('Cancelled');
    expect(test.run.facts.endedAt).toBe(test.now);
  });

  it('decides once', () => {
    const test = new TestRun(clientServerPlan());
    test.apply(end(test.run, 'Cancelled', 'a user', test.now));
    test.apply(terminate(test.run, 'somebody else', test.now));
    expect(test.run.facts.outcome).toBe('Cancelled');
  });

  it('waits in Finalizing until every machine is gone', () => {
    const test = new TestRun(clientServerPlan());
    test.provision();
    test.apply(end(test.run, 'Cancelled', 'a user', test.now));
    test.pass(365 * 24 * 60 * minute);
    expect(test.state).toBe('Finalizing');
  });
});
