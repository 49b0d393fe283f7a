import type { PlannedBudget, RunPlan } from '@paceline/model';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { launchFailed } from '../launch/launch-failed.ts';
import { machineFound, machineGone } from '../launch/found.ts';
import { nextDeadline } from '../lifecycle/deadlines.ts';
import { scale } from '../lifecycle/scale.ts';
import { instanceOf } from '../run/apply.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { budgetEnd, overBudgetWith } from './cost.ts';

const hour = 3_600_000;
const euros = (amount: number): { amount: number; currency: string } => ({ amount, currency: 'EUR' });

/** Web servers for one euro an hour on `test`, four on `dear`. */
function planWith(budget: Omit<PlannedBudget, 'of' | 'currency'>, rest: Partial<RunPlan> = {}): RunPlan {
  const node = nodeOf({ multiplicity: 2, prices: { test: euros(1), dear: euros(4) }, elsewhere: ['dear', 'free'] });
  const budgets = [{ of: 'the run' as const, currency: 'EUR', ...budget }];
  return planOf({ web: node, other: nodeOf() }, { scalable: true, lifetimeMs: 10 * hour, budgets, ...rest });
}

function ready(plan: RunPlan): TestRun {
  const test = new TestRun(plan);
  for (let round = 0; round < 10 && test.state !== 'Ready'; round++) {
    for (const { name, machine, keyHash } of test.run.instances.values()) {
      if (machine.status === 'intended' && test.state === 'Provisioning') test.boot(name);
      if (machine.status === 'launched' && keyHash === null) test.join(name);
      if (test.stepsOf(name).length > 0) test.complete(name);
    }
  }
  expect(test.state).toBe('Ready');
  return test;
}

describe('more machines', () => {
  test('are refused when they would cost more than the run may, and the run stays as it is', () => {
    const test = ready(planWith({ perHour: 3 }));
    const wish = (add: number) => ({ id: `add ${add}`, node: 'web', wish: { add } });
    expect(() => scale(test.run, wish(2), {}, test.now)).toThrow(
      expect.objectContaining({
        code: 'PACELINE_OVER_BUDGET',
        message: '2 more machines of web would cost more than the run may: 4 EUR an hour are more than the 3 EUR of the budget of the run',
      }),
    );
    expect(scale(test.run, wish(1), {}, test.now).instances).toEqual(['web.3']);
  });

  test('may come later, when they cost less until the end', () => {
    const test = ready(planWith({ total: 30 }));
    const wish = { id: 'more', node: 'web', wish: { add: 2 } };
    expect(() => scale(test.run, wish, {}, test.now)).toThrow('40 EUR in all');
    test.pass(5 * hour);
    expect(scale(test.run, wish, {}, test.now).instances).toEqual(['web.3', 'web.4']);
  });

  test('of unknown price are refused when the budget asks for known ones', () => {
    const plan = planWith({ knownPrices: true });
    expect(overBudgetWith(new TestRun({ ...plan, nodes: { web: plan.nodes['web'] ?? nodeOf() } }).run, [], 0)).toEqual([]);
    expect(overBudgetWith(new TestRun(plan).run, [], 0)).toEqual(['1 machine has no price in EUR, which the budget of the run asks for']);
  });
});

describe('a cloud without room', () => {
  const full = new ConnectorError('quota', 'all is used');

  test('is left for one that the budget allows', () => {
    const test = new TestRun(planWith({ perHour: 3 }));
    test.apply(launchFailed(instanceOf(test.run, 'web.1'), full, 0.5)(test.run, test.now));
    expect(instanceOf(test.run, 'web.1').machine.cloud).toBe('free');
  });

  test('ends the run when the others are too dear, and says so', () => {
    const test = new TestRun(planWith({ perHour: 3, knownPrices: true }, {}));
    const { web } = test.run.plan.nodes;
    expect(web?.elsewhere).toContain('dear');
    test.apply(launchFailed(instanceOf(test.run, 'web.1'), full, 0.5)(test.run, test.now));
    expect(test.run.facts.abort?.reason).toContain(
      'what it may cost keeps it from going to dear: 5 EUR an hour are more than the 3 EUR of the budget of the run',
    );
  });
});

describe('machines that move at the same time', () => {
  /** Three machines of which one may go to the dear cloud; all find out late that theirs has no room. */
  function crowded(maxProvisioningFailures: number): TestRun {
    const web = nodeOf({ multiplicity: 3, prices: { test: euros(1), dear: euros(4) }, elsewhere: ['dear'], maxProvisioningFailures });
    const plan = planOf({ web, other: nodeOf() }, { budgets: [{ of: 'the run', currency: 'EUR', perHour: 6 }] });
    const test = new TestRun(plan);
    for (const name of test.run.instances.keys()) test.boot(name);
    for (const name of ['web.1', 'web.2', 'web.3']) findFull(test, name);
    return test;
  }
  function findFull(test: TestRun, name: string): void {
    const { index, machine } = instanceOf(test.run, name);
    const where = { publicIps: [], privateIps: [], createdAt: new Date(test.now) };
    const found = { ...where, id: machine.id ?? '', index, name, state: 'error' as const, fault: 'no valid host', noRoom: true };
    test.apply(machineFound(test.run, instanceOf(test.run, name), found, test.now));
  }
  const goAway = (test: TestRun): void => {
    for (const instance of [...test.run.instances.values()])
      if (instance.machine.status === 'terminating') test.apply(machineGone(test.run, instance, test.now));
  };

  test('count as being where they go to: those that it would be too dear for fail as any other, and it is said', () => {
    const test = crowded(2);
    expect(test.events.map(({ message }) => message).filter((message) => message.includes('no valid host'))).toEqual([
      'web.1: test has no room for it, dear is tried: no valid host',
      expect.stringMatching(
        /^web\.2 is lost: no valid host; what it may cost keeps it from going to dear: 9 EUR an hour .* \[PACELINE_OVER_BUDGET\]; the run goes on without it \(1 of 2/,
      ),
      expect.stringMatching(/^web\.3 is lost: .* 8 EUR an hour .* \[PACELINE_OVER_BUDGET\]; .*\(2 of 2/),
    ]);
    goAway(test);
    const live = [...test.run.instances.values()].filter(({ dropped, node }) => !dropped && node === 'web');
    expect(live.map(({ name, machine }) => [name, machine.cloud])).toEqual([['web.1', 'dear']]);
    expect(overBudgetWith(test.run, [], test.now)).toEqual([]);
  });

  test('end the run when the budget has no room for it any more when they are gone', () => {
    const test = crowded(2);
    // Something else has become dear meanwhile.
    Object.assign(test.run.plan.nodes['other'] ?? {}, { prices: { test: euros(5) } });
    goAway(test);
    expect(instanceOf(test.run, 'web.1').machine.status).toBe('gone');
    expect(test.run.facts.abort?.reason).toMatch(/^web\.1: test has no room for it; what it may cost keeps it from going to dear: 9 EUR/);
  });
});

describe('what is spent', () => {
  test('ends the run with a reason when machines had to be made again', () => {
    const test = ready(planWith({ total: 20 }));
    // Something else has cost twelve.
    const { machine } = instanceOf(test.run, 'web.1');
    test.apply([{ kind: 'machine', name: 'web.1', patch: { launchedAt: (machine.launchedAt ?? 0) - 12 * hour } }]);
    const end = budgetEnd(test.run);
    expect(end).toBeLessThan(test.run.facts.expiresAt);
    expect(nextDeadline(test.run)).toBe(end);
    test.pass(end - test.now - 1);
    expect(test.run.facts.outcome).toBeNull();
    test.pass(1);
    expect(test.run.facts.outcome).toBe('Done');
    expect(test.events.map(({ message }) => message)).toContain('The run ends, decided by the end of its budget');
  });

  test('aborts a run that is not ready yet', () => {
    const test = new TestRun(planWith({ total: 1 }, { timeoutMs: 9 * hour }));
    test.boot('web.1');
    test.boot('web.2');
    test.pass(hour / 2);
    expect(test.run.facts.abort?.reason).toBe('The run has reached the end of its budget (1 EUR) in Provisioning');
    expect(test.run.facts.outcome).toBe('Aborted');
  });

  test('is at the budget when the budget ends, whatever was launched and ended when', () => {
    const machines = fc.array(fc.record({ launched: fc.nat(10 * hour), lasted: fc.option(fc.nat(5 * hour)) }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(machines, fc.integer({ min: 1, max: 100 }), (lives, total) => {
        const plan = planOf(
          { n: nodeOf({ multiplicity: lives.length, prices: { test: euros(2) } }) },
          { budgets: [{ of: 'the run', currency: 'EUR', total }] },
        );
        const { run } = new TestRun(plan);
        for (const [at, { launched, lasted }] of lives.entries()) {
          const { machine } = instanceOf(run, `n.${at + 1}`);
          Object.assign(machine, {
            status: lasted === null ? 'launched' : 'gone',
            launchedAt: launched,
            endedAt: lasted === null ? null : launched + lasted,
          });
        }
        const end = budgetEnd(run);
        const spent = (at: number): number =>
          lives.reduce((sum, { launched, lasted }) => sum + (2 * ((lasted === null ? at : launched + lasted) - launched)) / hour, 0);
        if (end === Number.POSITIVE_INFINITY) expect(lives.every(({ lasted }) => lasted !== null)).toBe(true);
        else expect(spent(end)).toBeCloseTo(total, 3);
      }),
    );
  });

  test('a machine that is gone costs nothing more', () => {
    const test = ready(planWith({ total: 30 }));
    test.apply(scale(test.run, { id: 'less', node: 'web', wish: { remove: 1 } }, { atOnce: true }, test.now).changes);
    test.pass(hour);
    test.apply(machineGone(test.run, instanceOf(test.run, 'web.2'), test.now));
    test.pass(hour);
    expect(instanceOf(test.run, 'web.2').machine.endedAt).toBe(test.now - hour);
    expect(budgetEnd(test.run)).toBe(Math.ceil((instanceOf(test.run, 'web.1').machine.launchedAt ?? 0) + 29 * hour));
  });
});
