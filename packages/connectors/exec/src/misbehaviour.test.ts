import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectorContext, ConnectorError, LaunchRequest } from '@paceline/engine/connector';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configSchema } from './config.ts';
import { createExecConnector } from './exec-connector.ts';
import { connectorModule } from './index.ts';
import { Program } from './program.ts';

/** A program that is as bad as it is told to be; `act` is what it does with a request besides greeting. */
const programText = (act: string): string => `
import { createInterface } from 'node:readline';
const say = (message) => process.stdout.write((typeof message === 'string' ? message : JSON.stringify(message)) + '\\n');
const machine = (id) => ({ id, index: 1, name: id, state: 'running', createdAt: '2026-01-01T00:00:00Z' });
let config, secrets;
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === 'hello') {
    ({ config, secrets } = params);
    say({ id, result: { protocol: 1, name: 'bad', version: '1', capabilities: { userDataBytes: 16384, maxBatch: 10, idempotency: 'tag',
      listConsistencyMs: 0, reach: 'direct' } } });
  } else { ${act} }
}
`;

let folder = '';
const logged: string[] = [];
const opened: Program[] = [];
const log = { info: (message: string) => void logged.push(message), warn: (message: string) => void logged.push(message) };
const context = (signal = new AbortController().signal): ConnectorContext => ({ signal, log, now: Date.now });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paceline-exec-'));
  logged.length = 0;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((program) => program.close()));
  await rm(folder, { recursive: true });
});

async function connect(act: string, { raw = false, env = {}, ...settings }: Record<string, unknown> = {}) {
  const path = join(folder, 'program.mjs');
  await writeFile(path, raw === true ? act : programText(act));
  const config = configSchema.parse({ command: [process.execPath, path], graceSeconds: 5, ...settings });
  const program = new Program(config, env as NodeJS.ProcessEnv);
  opened.push(program);
  return createExecConnector(program, await program.greet());
}

const failure = (call: Promise<unknown>): Promise<ConnectorError> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: ConnectorError) => error,
  );

const request: LaunchRequest = {
  token: 'a'.repeat(32),
  owner: { engine: 'e', run: 'r', node: 'n' },
  machines: [{ index: 1, name: 'n-1', userData: new TextEncoder().encode("#!/bin/sh\nsecret='join-secret-of-n-1'\n") }],
  image: '',
  ports: [],
  expiresAt: new Date(),
};

test('what it writes that is no message is logged, and does not disturb', async () => {
  const connector = await connect(`say('Traceback: what?'); say('[]'); say({ id: 99, result: {} });
    say({ id, result: { account: 'me', regions: ['here'] } });`);
  expect(await connector.probe(context())).toEqual({ account: 'me', regions: ['here'] });
  expect(logged.filter((line) => line.startsWith('this is no message of the protocol'))).toHaveLength(3);
});

test('one that writes nothing but that is ended', async () => {
  const connector = await connect(`for (let i = 0; i < 1000; i++) say('Hello!');`);
  expect(await failure(connector.probe(context()))).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('it does not speak the protocol'),
  });
});

test('a line without end is not kept', async () => {
  const connector = await connect(`const piece = 'x'.repeat(65536); (function more() { process.stdout.write(piece, more); })();`);
  expect(await failure(connector.probe(context()))).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('a line is longer than 1048576 bytes'),
  });
});

test('an answer of the wrong shape is a failure of that call alone', async () => {
  const connector = await connect(`say({ id, result: method === 'probe' ? { account: 7 } : { machines: [machine(params.ids[0])] } });`);
  expect(await failure(connector.probe(context()))).toMatchObject({
    code: 'internal',
    message: expect.stringMatching(/The answer of .* to probe is not as the protocol says: .*account/),
  });
  expect((await connector.describe(['m'], context())).get('m')?.name).toBe('m');
});

test('machines that nobody has asked for are not believed', async () => {
  const connector = await connect(`say({ id, result: { machines: [machine('m'), { ...machine('other'), index: 7 }] } });`);
  expect([...(await connector.describe(['m'], context())).keys()]).toEqual(['m']);
  expect((await connector.launch(request, context())).map(({ id }) => id)).toEqual(['m']);
});

test('its errors keep their code, and get one when it is unknown', async () => {
  const connector = await connect(`say({ id, error: { code: params.ids[0], message: 'no', retryAfterMs: 900, hint: 'wait' } });`);
  expect(await failure(connector.terminate(['throttled'], context()))).toMatchObject({
    code: 'throttled',
    message: 'no',
    details: { retryAfterMs: 900, hint: 'wait' },
  });
  expect((await failure(connector.terminate(['whatever'], context()))).code).toBe('internal');
});

test('when it crashes its calls fail with its last words, and the next call starts it again', async () => {
  const connector = await connect(`if (method === 'probe') say({ id, result: { account: 'me', regions: ['here'] } });
    else { console.error('out of ideas'); process.exit(3); }`);
  const calls = await Promise.all([failure(connector.terminate(['a'], context())), failure(connector.describe(['b'], context()))]);
  for (const call of calls) {
    expect(call).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/exit code 3; its last words were: out of ideas/) });
  }
  expect((await connector.probe(context())).account).toBe('me');
});

test('a list that breaks off is a failure, however much of it has come', async () => {
  const item = `{ kind: 'disk', id: 'd' + i, name: 'd', owner: { engine: 'e', run: 'r' } }`;
  const connector = await connect(`for (let i = 0; i < 3; i++) say({ id, item: ${item} });
    if (params.run === undefined) process.exit(0); else say({ id, result: {} });`);
  const ids: string[] = [];
  const read = async (query: { engine: string; run?: string }): Promise<void> => {
    for await (const { id } of connector.list(query, context())) ids.push(id);
  };
  expect((await failure(read({ engine: 'e' }))).code).toBe('unavailable');
  ids.length = 0;
  await read({ engine: 'e', run: 'r' });
  expect(ids).toEqual(['d0', 'd1', 'd2']);
});

test('a call that is given up is cancelled; one that it does not let go of ends it, with all that it has started', async () => {
  const pidFile = join(folder, 'pid');
  const connector = await connect(
    `if (method === 'cancel') say({ log: { level: 'info', message: 'told to cancel ' + params.id } });
     else if (method === 'terminate') { const { spawn } = await import('node:child_process'); const { writeFileSync } = await import('node:fs');
       process.on('SIGTERM', () => {});
       writeFileSync(config.pidFile, String(spawn('sleep', ['1000']).pid)); }`,
    { config: { pidFile }, graceSeconds: 1 },
  );
  const aborter = new AbortController();
  const call = failure(connector.terminate(['m'], context(aborter.signal)));
  const pid = await vi.waitFor(async () => Number(await readFile(pidFile, 'utf8')) || Promise.reject(new Error('not yet')), 10_000);
  aborter.abort();
  expect((await call).code).toBe('timeout');
  await vi.waitFor(() => expect(logged).toContain('told to cancel 2'), 10_000);
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), 10_000);
});

test('one that does not greet is ended, and not started again at once', async () => {
  const path = join(folder, 'mute.mjs');
  await writeFile(path, 'process.stdin.resume();');
  const program = new Program(configSchema.parse({ command: [process.execPath, path], graceSeconds: 1 }), {});
  expect(await failure(program.greet())).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('has not greeted within 1 s'),
  });
  await vi.waitFor(async () =>
    expect(await failure(program.greet())).toMatchObject({
      message: expect.stringContaining('failed to start 1 times'),
      details: { retryAfterMs: expect.any(Number) as number },
    }),
  );
});

test('one that speaks another version is refused with what is wrong', async () => {
  const raw = `process.stdin.once('data', () => console.log(JSON.stringify({ id: 1, result: { protocol: 2 } }))); setInterval(() => {}, 1e6);`;
  expect(await failure(connect(raw, { raw: true }))).toMatchObject({ code: 'internal', message: expect.stringContaining('protocol') });
});

test('secrets come over the standard input only, and leave it in no log and no message', async () => {
  const connector = await connect(
    `if (method === 'launch') { console.error('given ' + Buffer.from(params.machines[0].userData, 'base64')); say({ id, error: { code: 'auth',
       message: 'bad key ' + secrets.key, hint: 'not ' + secrets.key } }); }
     else say({ id, result: { account: [...process.argv, ...Object.values(process.env)].includes(secrets.key) ? 'seen' : 'hidden',
       regions: Object.keys(process.env) } });`,
    { secrets: { key: 'THE_KEY' }, env: { THE_KEY: 'very-secret-key' } },
  );
  const { account, regions } = await connector.probe(context());
  expect(account).toBe('hidden');
  expect(regions).not.toContain('THE_KEY');
  const refused = await failure(connector.launch(request, context()));
  expect(refused).toMatchObject({ code: 'auth', message: 'bad key ***', details: { hint: 'not ***' } });
  await vi.waitFor(() => expect(logged.join('\n')).toContain('***'));
  expect(`${logged.join('\n')} ${refused.stack}`).not.toMatch(/very-secret-key|join-secret/);
});

test('a flood on its standard error is cut', async () => {
  const connector = await connect(`for (let i = 0; i < 5000; i++) console.error('line ' + i);
    console.error('last'); say({ id, result: { account: 'me', regions: ['here'] } });`);
  await connector.probe(context());
  await vi.waitFor(() => expect(logged.at(-1)).toContain('more than is kept'));
  expect(logged.length).toBeLessThanOrEqual(200);
});

test('user data above the limit, and batches above it, never reach the program', async () => {
  const connector = await connect(`process.exit(1)`);
  const [machine] = request.machines;
  const large = { ...request, machines: [{ index: 1, name: 'n', userData: new Uint8Array(16_385) }] };
  const many = { ...request, machines: Array.from({ length: 11 }, () => machine).filter((each) => each !== undefined) };
  expect((await failure(connector.launch(large, context()))).code).toBe('invalid');
  expect((await failure(connector.launch(many, context()))).code).toBe('invalid');
});

test('a configuration that is wrong says where', async () => {
  await expect(connectorModule.createConnector({ command: 'sh -c true' })).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('command'),
  });
  await expect(connectorModule.createConnector({ command: ['sh'], secrets: { key: 'NOT_SET_ANYWHERE' } })).rejects.toMatchObject({
    code: 'auth',
    message: expect.stringContaining('NOT_SET_ANYWHERE'),
  });
});

test('what an image is now is asked of a program that says that it knows', async () => {
  const act = `say(params.image === 'debian' ? { id, result: { means: 'img-7' } } : { id, error: { code: 'notFound', message: 'no ' + params.image } });`;
  const text = programText(act);
  const connector = await connect(text.replace("name: 'bad'", "name: 'bad', methods: ['resolveImage']"), { raw: true });
  expect(await connector.resolveImage?.('debian', context())).toBe('img-7');
  await expect(connector.resolveImage?.('gone', context())).rejects.toMatchObject({ code: 'notFound', message: 'no gone' });
  expect(await connect(act)).not.toHaveProperty('resolveImage');
});

test('where its credentials lead is asked of a program that says that it knows', async () => {
  const text = programText(`say({ id, result: { account: method === 'account' ? 'lab 7 north' : '' } });`);
  const connector = await connect(text.replace("name: 'bad'", "name: 'bad', methods: ['account']"), { raw: true });
  expect(await connector.account?.(context())).toBe('lab 7 north');
  expect(await connect(`say({ id, result: {} });`)).not.toHaveProperty('account');
});

test('one that has ended is started again, whoever holds its output open', async () => {
  const connector = await connect(`if (params.ids?.[0] !== 'die') say({ id, result: { account: 'me', regions: ['here'] } });
    else {
      const { spawn } = await import('node:child_process');
      // A session of its own: it does not end with the program.
      const { pid } = spawn('sleep', ['600'], { detached: true, stdio: 'inherit' });
      process.stderr.write('last words\\n' + pid + '\\n', () => process.exit(3));
    }`);
  try {
    expect(await failure(connector.describe(['die'], context()))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('exit code 3; its last words were: '),
    });
    expect(await connector.probe(context())).toEqual({ account: 'me', regions: ['here'] });
  } finally {
    process.kill(Number(logged.at(-1)), 'SIGKILL');
  }
  expect(logged).toContain('last words');
});
