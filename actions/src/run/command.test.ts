import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parameterEnvironment, runCommand } from './command.ts';
import { isKept } from './settings.ts';

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

test('a command sees what a script of the workflow sees, and nothing that is the action’s', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-command-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const hidden = ['INPUT_PARAMETERS', 'INPUT_SERVER-TOKEN', 'STATE_done', 'GITHUB_STATE', 'ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL'];
  const shown = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'GITHUB_OUTPUT', 'AWS_REGION'];
  for (const name of [...hidden, ...shown]) vi.stubEnv(name, 'x');
  onTestFinished(() => void vi.unstubAllEnvs());
  await runCommand({ command: 'env -0 >seen', folder, env: { ITS_OWN: 'y' }, cancelled: new AbortController().signal });
  const seen = (await readFile(join(folder, 'seen'), 'utf8')).split('\0').map((line) => line.slice(0, line.indexOf('=')));
  expect(hidden.filter((name) => seen.includes(name))).toEqual([]);
  expect([...shown, 'ITS_OWN'].filter((name) => !seen.includes(name))).toEqual([]);
});

test.each([
  ['never', []],
  ['on-success', ['succeeded']],
  ['on-error', ['failed']],
  ['always', ['succeeded', 'failed', 'cut']],
] as const)('keep-running %s goes by how the command came out', (policy, kept) => {
  expect((['succeeded', 'failed', 'cut'] as const).filter((outcome) => isKept(policy, outcome))).toEqual(kept);
});
