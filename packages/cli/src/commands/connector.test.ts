import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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

test('what only connectors do that are made in time is checked, too, be they objects that know themselves only', async () => {
  const altering = `class Made { #disks = [];
    info = { name: 'made', version: '1', api: 1 };
    capabilities = { userDataBytes: 4096, maxBatch: 5, idempotency: 'tag', listConsistencyMs: 0, console: 'none', reach: 'host', snapshot: false };
    async launch({ token, machines: [{ index, name }] }) { return [{ id: 'm', index, name, state: 'running', publicIps: [], privateIps: [], createdAt: new Date(0) }]; }
    async describe(ids) { return new Map([['m', (await this.launch({ machines: [{ index: 1, name: 'm' }] }))[0]]]); }
    async *list() {}
    async terminate(ids) { return ids.map((id) => ({ id, gone: true })); }
    async probe() { return { account: 'me', regions: ['here'] }; }
    async attachDisk(id, { token }) { this.#disks.push(token); throw new Error('no disk ' + this.#disks); }
    async detachDisk() {}
  }
  export const connectorModule = { name: 'made', configSchema: {}, createConnector: async () => new Made() };`;
  await writeFile(join(folder, 'made.mjs'), altering);
  expect((await check('clouds: { mine: { connector: ./made.mjs } }', { only: 'disks' })).out).toMatch(/^✗ disks .*no disk one/);
});

test('what a cloud does not let go of is told, and that the next test ends it', async () => {
  const machine = `{ id: 'm-1', index: 1, name: 'm', state: 'running', publicIps: [], privateIps: [], createdAt: new Date(0) }`;
  const listed = `async *list({ engine }) { yield { kind: 'machine', id: 'm-1', name: 'm', owner: { engine, run: 'r' }, machine: ${machine} }; }`;
  await writeFile(join(folder, 'bad.mjs'), module('me', 'host').replace('async *list() {}', listed));
  const clouds = 'clouds: { mine: { connector: ./bad.mjs } }';
  const { out, err, code } = await check(clouds, { only: 'probe', patience: '1' });
  expect(out).toContain('what it has made could not be ended: still there after 1000 ms: machine m-1');
  expect(err).toMatch(/Machines of conformance-\S+ may still be on mine: the next `paceline connector test mine` ends them/);
  expect(code).toBe(1);
  await writeFile(join(folder, 'good.mjs'), module('me', 'host'));
  const next = await check('clouds: { mine: { connector: ./good.mjs } }', { only: 'probe' });
  expect([next.code, next.err]).toEqual([0, '1 passed, 0 failed, 0 skipped\n']);
});

test('nothing begins where nobody could tell later in which account it was', async () => {
  const silent = module('me', 'host').replace('probe:', 'account: async () => { throw new Error("try later"); }, probe:');
  await writeFile(join(folder, 'bad.mjs'), silent);
  await expect(check('clouds: { mine: { connector: ./bad.mjs } }', { only: 'probe' })).rejects.toMatchObject({
    code: 'PACELINE_CLOUD_FAILED',
    message: 'mine does not say where its credentials lead: try later',
  });
});

test('what a test has left is ended by the next, also when its process has the number of another, and no longer than somebody waits', async () => {
  const interrupting = `async *list({ engine }) {
    if (!heard) process.emit('SIGINT');
    heard = true;
    yield { kind: 'machine', id: 'm-1', name: 'm', owner: { engine, run: 'r' } };
  }`;
  await writeFile(join(folder, 'bad.mjs'), `let heard = false; ${module('me', 'host').replace('async *list() {}', interrupting)}`);
  await mkdir(join(folder, 'connector-tests'));
  const file = join(folder, 'connector-tests', 'conformance-killed.json');
  // The number of the killed one is that of a process that runs, and is not ours.
  await writeFile(file, JSON.stringify({ engine: 'conformance-killed', cloud: 'mine', pid: process.ppid, began: '1' }));
  const { code, err } = await check('clouds: { mine: { connector: ./bad.mjs } }', { only: 'probe', patience: '86400' });
  expect(code).toBe(130);
  expect(err).toContain('What an earlier test has left cannot be ended: it was interrupted');
  expect(err).toContain('Machines of conformance-killed may still be on mine');
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
