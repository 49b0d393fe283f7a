// `npm run conformance [CONNECTOR…]`: runs the checks of all connectors that can be run here, two connectors at a time, and writes what
// came of it into docs/connectors.md; of some connectors alone it is printed.
import { fork } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { checks } from '../../packages/engine/src/conformance/suite.ts';
import { matrixOf, type Outcome } from './matrix.ts';

const root = join(import.meta.dirname, '../..');
const document = join(root, 'docs', 'connectors.md');
const [begin, end] = ['<!-- The matrix, written by `npm run conformance` -->', '<!-- The end of the matrix -->'];
const atOnce = 2;
/** What a connector may take for all of its checks. */
const minutes = 25;
/** That which takes longest, so that it is not alone in the end; and what else works on its OpenStack, which each of them keeps busy. */
const [first, last] = ['openstack', 'libcloud'];

const begun = Date.now();
const wanted = process.argv.slice(2);
const known = globSync('packages/connectors/*/src/conformance.test.ts', { cwd: root }).map((path) => path.split('/')[2] ?? '');
const turn = (name: string): number => Number(name === last) - Number(name === first);
const waiting = (wanted.length > 0 ? wanted : known).toSorted((one, other) => turn(one) - turn(other));
const outcomes: Outcome[] = [];
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) outcomes.push(...(await run(name)));
  }),
);

const ids = checks.map(({ id }) => id);
const took = `${Math.ceil((Date.now() - begun) / 60_000)} minutes, ${atOnce} connectors at a time`;
const host = `${availableParallelism()} cores, with a load of ${loadavg()[2]?.toFixed(1)} in the last fifteen minutes`;
const matrix = `${matrixOf(ids, outcomes)}\n\nThe run took ${took}, on ${host}.`;
if (wanted.length > 0) console.log(matrix);
else
  writeFileSync(
    document,
    readFileSync(document, 'utf8').replace(new RegExp(`${begin}[^]*${end}`), () => `${begin}\n\n${matrix}\n\n${end}`),
  );
if (outcomes.some(({ state }) => state === 'failed')) process.exitCode = 1;

/** All that is known of a connector when its checks have ended, or its time is over. */
async function run(name: string): Promise<Outcome[]> {
  const found: Outcome[] = [];
  const started = Date.now();
  const file = join(root, 'packages/connectors', name, 'src/conformance.test.ts');
  const child = fork(join(import.meta.dirname, 'connector.ts'), [file], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // A check that does not heed that it is given up.
    timeout: (minutes + 2) * 60_000,
    killSignal: 'SIGKILL',
  });
  child.on('message', (outcome: Outcome) => {
    found.push(outcome);
    const { subject, check, state, why = '', ms } = outcome;
    console.log(`${subject}: ${check} ${state} ${state === 'passed' ? `after ${Math.round(ms)} ms` : why}`);
  });
  const timer = setTimeout(() => child.connected && child.send('enough'), minutes * 60_000);
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  child.once('error', ({ message }) => resolve(message));
  child.once('close', (_code, signal) => resolve(signal === null ? undefined : `it was ended by ${signal} after ${found.length} checks`));
  const cut = await promise;
  clearTimeout(timer);
  const why = cut ?? (found.length === 0 ? 'no check was made' : undefined);
  return why === undefined ? found : [...found, { subject: name, check: 'conformance.test.ts', state: 'failed', why, ms: 0, at: started }];
}
