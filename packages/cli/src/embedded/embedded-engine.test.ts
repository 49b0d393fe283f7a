import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive } from '@paceline/door';
import { buildCommand, CommandBench, waitUntil } from '../testing/built-command.ts';

let command: Awaited<ReturnType<typeof buildCommand>>;
beforeAll(async () => {
  command = await buildCommand();
});
afterAll(() => command.remove());

test('loads of the program only what a command needs', async () => {
  expect((await stat(command.path)).size).toBeLessThan(500_000);
});

test('starts when it is needed, serves every later command, and ends by itself', async () => {
  const bench = await CommandBench.open(command.path);
  expect(await bench.run(['engine', 'status'])).toMatchObject({ code: 0, out: `No engine runs on ${bench.state}\n` });
  expect(await bench.run(['list', '--json'])).toEqual({ code: 0, out: '{"runs":[]}\n', err: '' });
  const engine = await bench.engine();
  if (engine === undefined) throw new Error('there is no engine');
  expect(await bench.run(['engine', 'status'])).toMatchObject({
    out: `${engine.url}  process ${engine.pid}  paceline ${engine.version}  active runs: 0\n`,
  });
  await bench.run(['engine', 'stop']);
  await bench.run(['list'], { PACELINE_IDLE_EXIT: '400ms' });
  await waitUntil(async () => (await bench.log()).includes('stops: idle'));
  await waitUntil(async () => (await bench.engine()) === undefined);
  expect(isAlive(engine.pid)).toBe(false);
  await bench.run(['list']);
  expect((await bench.engine())?.url, 'the port of the last time').toBe(engine.url);
});

test('there is one of it, however many commands start at once', async () => {
  const bench = await CommandBench.open(command.path);
  const finished = await Promise.all(Array.from({ length: 5 }, () => bench.run(['list', '--json'])));
  expect(finished.map(({ out, err }) => out + err)).toEqual(Array.from({ length: 5 }, () => '{"runs":[]}\n'));
  expect((await bench.log()).match(/Server listening/g)).toHaveLength(1);
});

test('replaces one that was killed, and one whose number another process has got', async () => {
  const bench = await CommandBench.open(command.path);
  await bench.run(['list']);
  const killed = await bench.engine();
  await bench.kill('SIGKILL');
  expect(await bench.run(['list', '--json'])).toMatchObject({ code: 0, out: '{"runs":[]}\n' });
  expect((await bench.engine())?.pid).not.toBe(killed?.pid);
  await bench.kill('SIGKILL');
  const other = spawn('sleep', ['60']);
  await writeFile(join(bench.state, 'engine.json'), JSON.stringify({ ...killed, pid: other.pid }));
  expect(await bench.run(['list', '--json'])).toMatchObject({ code: 0, out: '{"runs":[]}\n' });
  expect((await bench.engine())?.pid).not.toBe(other.pid);
  other.kill();
});

test('keeps the clouds that it was told when it is started again, whatever has become of their file', async () => {
  const bench = await CommandBench.open(command.path);
  const file = join(bench.state, 'told.yaml');
  await writeFile(file, 'clouds: { mine: { connector: local } }\n');
  const clouds = async (...more: string[]): Promise<string> => (await bench.run(['clouds', '--json', ...more])).out;
  expect(await clouds('--clouds', file)).toContain('"mine"');
  await bench.kill('SIGKILL');
  await rm(file);
  expect(await clouds()).toContain('"mine"');
  await bench.run(['engine', 'stop']);
});

test('goes by SSH to machines that could not call it, for it listens on this host alone', async () => {
  const bench = await CommandBench.open(command.path);
  const file = join(bench.state, 'far.yaml');
  const aws = 'connector: aws, region: eu-west-3, endpoint: "http://127.0.0.1:9"';
  await writeFile(file, `clouds: { far: { ${aws} }, told: { ${aws}, reach: direct }, here: { connector: local } }\n`);
  const { out } = await bench.run(['clouds', '--json', '--clouds', file], { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' });
  const { clouds } = JSON.parse(out) as { clouds: { name: string; reach: string }[] };
  expect(clouds.map(({ name, reach }) => [name, reach])).toEqual([
    ['far', 'tunnel'],
    ['told', 'direct'],
    ['here', 'host'],
  ]);
  await bench.run(['engine', 'stop']);
});

test('stops when it is told to', async () => {
  const bench = await CommandBench.open(command.path);
  await bench.run(['list']);
  expect(await bench.run(['engine', 'stop'])).toEqual({ code: 0, out: 'The engine has stopped\n', err: '' });
  expect(await bench.engine()).toBeUndefined();
});

test('says what it died of', async () => {
  const bench = await CommandBench.open(command.path);
  await writeFile(join(bench.state, 'clouds.yaml'), 'clouds: { lab: { connector: nonesuch } }');
  const { code, err } = await bench.run(['list']);
  expect(code).toBe(2);
  expect(err).toContain('error: The engine did not start (exit 2). It said: [PACELINE_REQUEST_INVALID]\n');
  expect(err).toContain(`There is no connector 'nonesuch'. Tried:`);
});

test('a server in the foreground serves the commands of its state directory, and only one can be there', async () => {
  const bench = await CommandBench.open(command.path);
  const server = bench.start(['server']);
  let said = '';
  server.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await waitUntil(() => said.includes('Paceline listens on'));
  await waitUntil(async () => (await bench.engine()) !== undefined);
  expect((await bench.engine())?.pid).toBe(server.pid);
  expect(await bench.run(['list', '--json'])).toMatchObject({ code: 0, out: '{"runs":[]}\n' });
  expect(await bench.run(['server'])).toMatchObject({ code: 6, err: expect.stringContaining('PACELINE_STORE_LOCKED') });
  const url = said.trim().split(' ').at(-1) ?? '';
  expect(await bench.run(['list'], { PACELINE_SERVER: url, PACELINE_TOKEN: 'wrong' })).toMatchObject({ code: 5 });
  const ended = new Promise((resolve) => server.on('exit', resolve));
  server.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(await bench.engine()).toBeUndefined();
});

test('a server that cannot say where it is does not stay', async () => {
  const bench = await CommandBench.open(command.path);
  await mkdir(join(bench.state, 'engine.json'));
  expect(await bench.run(['server'])).toMatchObject({ code: 70, err: expect.stringContaining('EISDIR') });
});

test('a server takes as many connections as it is told', async () => {
  const bench = await CommandBench.open(command.path);
  const server = bench.start(['server', '--max-connections=1']);
  await waitUntil(async () => (await bench.engine()) !== undefined);
  const { port } = new URL((await bench.engine())?.url ?? '');
  const first = connect(Number(port), '127.0.0.1');
  await once(first, 'connect');
  const second = connect(Number(port), '127.0.0.1').on('error', () => {});
  await once(second, 'close');
  expect(first.destroyed).toBe(false);
  first.destroy();
  server.kill('SIGTERM');
  await once(server, 'exit');
});

test.each(['0', '-1', '1e3', 'many', ''])('a server takes no %j for a number of connections', async (most) => {
  const bench = await CommandBench.open(command.path);
  const { code, err } = await bench.run(['server', `--max-connections=${most}`]);
  expect({ code, err }).toEqual({
    code: 2,
    err: `error: --max-connections: '${most}' is not a whole number from 1 to 10000000 [PACELINE_REQUEST_INVALID]\n`,
  });
});

test.each(['runs', 'output', 'reports'])('a server says when it does not understand how long %s are to be kept', async (what) => {
  const bench = await CommandBench.open(command.path);
  const { code, err } = await bench.run(['server', `--keep-${what}=ever`]);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`--keep-${what}: 'ever' is not a duration`) });
});
