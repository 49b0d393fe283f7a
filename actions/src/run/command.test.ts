import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parameterEnvironment, runCommand } from './command.ts';
import { isKept } from './options.ts';

test('a command finds the parameters, however long they are', async () => {
  const temp = await mkdtemp(join(tmpdir(), 'paceline-command-'));
  onTestFinished(() => rm(temp, { recursive: true }));
  const run = async (json: string): Promise<string> => {
    const env = await parameterEnvironment(json, { temp });
    const command = 'cat "$PACELINE_PARAMETERS_FILE" >seen; printf %s "${PACELINE_PARAMETERS-none}" >variable';
    await runCommand({ command, folder: temp, env, cancelled: new AbortController().signal });
    expect(await readFile(join(temp, 'seen'), 'utf8')).toBe(json);
    return readFile(join(temp, 'variable'), 'utf8');
  };
  expect(await run('{"a":"b"}')).toBe('{"a":"b"}');
  const name = 'PACELINE_PARAMETERS='.length;
  const longest = 'x'.repeat(128 * 1024 - 1 - name);
  expect(await run(longest)).toBe(longest);
  expect(await run(`${longest}x`)).toBe('none');
});

test.each([
  ['never', []],
  ['on-success', ['succeeded']],
  ['on-error', ['failed']],
  ['always', ['succeeded', 'failed', 'cut']],
] as const)('keep-running %s goes by how the command came out', (policy, kept) => {
  expect((['succeeded', 'failed', 'cut'] as const).filter((outcome) => isKept(policy, outcome))).toEqual(kept);
});
