// Runs the checks of one connector, and tells its parent what came of each as soon as it is known: `node connector.ts FILE`.
import { basename, dirname } from 'node:path';
import { startVitest, type TestCase, type Vitest } from 'vitest/node';
import type { Outcome } from './matrix.ts';

const file = process.argv[2] ?? '';
const connector = basename(dirname(dirname(file)));
let timeIsOver = false;

const vitest = await startVitest([file], {
  project: ['machines'],
  run: true,
  reporters: [{ onTestCaseResult: (test) => void process.send?.(outcomeOf(test)), onInit: endWhenTold }],
});
await vitest.close();
process.disconnect();
// Whatever a connector has left open.
process.exit();

/** No other check is begun then, and the one that is being made is given up. */
function endWhenTold(running: Vitest): void {
  process.once('message', () => {
    timeIsOver = true;
    void running.cancelCurrentRun('keyboard-input');
  });
}

function outcomeOf(test: TestCase): Outcome {
  const [kind = ''] = test.parent.type === 'suite' ? test.parent.name.split('/') : [];
  const { state, ...result } = test.result();
  const { duration = 0, startTime = Date.now() } = test.diagnostic() ?? {};
  return {
    subject: kind === '' ? connector : `${connector}, ${kind}`,
    check: test.name.split(':')[0] ?? '',
    state: state === 'pending' ? 'failed' : state,
    why: timeIsOver ? undefined : 'note' in result ? result.note : result.errors?.[0]?.message,
    ms: duration,
    at: startTime,
  };
}
