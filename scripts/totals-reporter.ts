import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { skipReasons, type Skipped } from './skip-reasons.ts';

/** Ends the output of the tests with why some were skipped, and one line that a script can read: `12 passed, 0 failed, 1 skipped`. */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const totals = { passed: 0, failed: unhandled.length, skipped: 0 };
    const flaky: string[] = [];
    const skipped: Skipped[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        totals[result.state === 'pending' ? 'failed' : result.state] += 1;
        if (result.state === 'skipped') skipped.push({ note: result.note, names: namesOf(test) });
        if (test.diagnostic()?.flaky === true) flaky.push(`${module.relativeModuleId}: ${test.fullName}`);
      }
      // A file that cannot be loaded, or a hook that fails, has no test of its own to blame.
      totals.failed += module.errors().length;
      for (const suite of module.children.allSuites()) totals.failed += suite.errors().length;
    }
    for (const test of flaky) process.stdout.write(`Passed only when it was tried again: ${test}\n`);
    for (const reason of skipReasons(skipped)) process.stdout.write(`${reason}\n`);
    const earlier = process.env['PACELINE_FAILED_STAGES'];
    if (earlier) process.stdout.write(`Before the tests, this failed: ${earlier} (see above)\n`);
    process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
  }
}

function namesOf(test: TestCase): string[] {
  const names = [test.name];
  for (let at = test.parent; at.type === 'suite'; at = at.parent) names.unshift(at.name);
  return names;
}
