import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { repository } from '../support/system.ts';

/** What a first violation, its shrinking and its trace may take, in milliseconds, on a busy host. */
const timeout = 15 * 60_000;

function run(program: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=@paceline/source', `packages/simulator/src/${program}`, ...args], {
    cwd: repository,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

it('1,000 schedules break no invariant, and everything that may happen has happened in them', { timeout }, async () => {
  const { code, output } = await run('campaign/main.ts', ['--runs', '1000', '--seed', '1']);
  expect(code, output).toBe(0);
  expect(output).toContain('1,000 schedules');
  expect(output).not.toContain('Never:');
});

// What nobody has tried may find what nobody has mended: for nights, not for changes that have nothing to do with it.
const fresh = process.env['PACELINE_TEST_FRESH_SEEDS'] !== undefined;
it.skipIf(!fresh)('schedules that nobody has tried before break no invariant (with PACELINE_TEST_FRESH_SEEDS)', { timeout }, async () => {
  const seed = Math.floor(Date.now() / 1000);
  const { code, output } = await run('campaign/main.ts', ['--runs', '250', '--seed', String(seed)]);
  expect(code, output).toBe(0);
});

it('mistakes that are put into the engine on purpose are caught', { timeout }, async () => {
  const { code, output } = await run('mutants/main.ts', ['--known', '--seeds', '0']);
  expect(code, output).toBe(0);
  expect(Number(/(\d+) of \d+ mutants were caught/.exec(output)?.[1]), output).toBeGreaterThanOrEqual(90);
});
