import type { Reporter, TestModule } from 'vitest/node';

/** Ends the output of the tests with one line that a script can read: `12 passed, 0 failed, 1 skipped`. */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const totals = { passed: 0, failed: unhandled.length, skipped: 0 };
    const flaky: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        totals[state === 'pending' ? 'failed' : state] += 1;
        if (test.diagnostic()?.flaky === true) flaky.push(`${module.relativeModuleId}: ${test.fullName}`);
      }
      // A file that cannot be loaded, or a hook that fails, has no test of its own to blame.
      totals.failed += module.errors().length;
      for (const suite of module.children.allSuites()) totals.failed += suite.errors().length;
    }
    for (const test of flaky) process.stdout.write(`Passed only when it was tried again: ${test}\n`);
    const earlier = process.env['PACELINE_FAILED_STAGES'];
    if (earlier) process.stdout.write(`Before the tests, this failed: ${earlier} (see above)\n`);
    process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
  }
}
