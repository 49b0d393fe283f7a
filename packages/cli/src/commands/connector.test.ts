import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recorder } from '../testing/recorder.ts';
import { connectorCommand, type ConnectorOptions } from './connector.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paceline-connector-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A connector whose launches are counted by their answers, and whose account has no name. */
const module = (account: string, reach: string): string => `export const connectorModule = { name: 'bad', configSchema: {},
  createConnector: async () => ({ info: { name: 'bad', version: '1', api: 1 }, capabilities: { userDataBytes: 4096, maxBatch: 5,
    idempotency: 'tag', listConsistencyMs: 0, console: 'none', reach: '${reach}', snapshot: false },
    launch: async () => { throw new Error('launched'); }, describe: async () => new Map(), async *list() {}, terminate: async () => [],
    probe: async () => ({ account: '${account}', regions: ['here'] }) }) };`;

async function check(clouds: string, options: Partial<ConnectorOptions>) {
  await writeFile(join(folder, 'clouds.yaml'), clouds);
  const shell = recorder();
  const defaults = { clouds: join(folder, 'clouds.yaml'), state: folder, patience: '20', budget: '100' };
  const code = await connectorCommand(['test', 'mine'], { ...defaults, ...options }, shell);
  return { code, out: shell.out(), err: shell.err() };
}

test('a connector that does what it has to is told so', async () => {
  const clouds = `clouds: { mine: { connector: local, root: ${join(folder, 'local')} } }`;
  const { code, out, err } = await check(clouds, { only: 'launch-one,probe,unknown-image' });
  expect(out.split('\n').map((text) => text.slice(0, 14).trim())).toEqual(['✓ launch-one', '✓ probe', '– unknown-imag', '']);
  expect([code, err]).toEqual([0, '2 passed, 0 failed, 1 skipped\n']);
});

test('what is wrong is said, and ends with a failure; connectors that are made in time are checked, too', async () => {
  await writeFile(join(folder, 'bad.mjs'), module('', 'host'));
  const { code, out } = await check('clouds: { mine: { connector: ./bad.mjs } }', { only: 'probe,capabilities', json: true });
  const results = out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { id: string; outcome: string });
  expect(results.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['probe', 'failed'],
    ['capabilities', 'passed'],
  ]);
  expect(code).toBe(1);
});

test('machines that may cost money are launched when that is said, and no more of them than are paid for', async () => {
  await writeFile(join(folder, 'bad.mjs'), module('me', 'direct'));
  const clouds = 'clouds: { mine: { connector: ./bad.mjs } }';
  await expect(check(clouds, {})).rejects.toMatchObject({
    code: 'PACELINE_REQUEST_INVALID',
    message: 'The machines of mine may cost money',
  });
  expect((await check(clouds, { live: true, budget: '0', only: 'launch-one' })).out).toContain('the budget of 0 machines is used up');
  expect((await check(clouds, { live: true, budget: '1', only: 'launch-one' })).out).toContain('launched');
  for (const wrong of [{ budget: '5EUR' }, { patience: '60s' }])
    await expect(check(clouds, { live: true, only: 'launch-one', ...wrong })).rejects.toThrow('is not a whole number');
});

test('a cloud that is not there is named, with those that are', async () => {
  await expect(check('clouds: { other: { connector: local } }', {})).rejects.toMatchObject({ code: 'PACELINE_CLOUD_UNKNOWN' });
});
