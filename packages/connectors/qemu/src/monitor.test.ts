import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Monitor } from './monitor.ts';

let machine: string;
beforeEach(async () => {
  machine = await mkdtemp(join(tmpdir(), 'paceline monitor-'));
});
afterEach(() => rm(machine, { recursive: true }));

interface Asked {
  execute: string;
  id: number;
}

/** An emulator that hears us out and does what it likes. */
async function emulator(act: (asked: Asked, socket: Socket) => void): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('{"QMP": {}}\n');
    createInterface({ input: socket }).on('line', (line) => act(JSON.parse(line) as Asked, socket));
  });
  await new Promise<void>((resolve) => server.listen(join(machine, 'control'), resolve));
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

const say = (socket: Socket, message: object): void => void socket.write(`${JSON.stringify(message)}\n`);
const never = new AbortController().signal;

test('an answer is that to its question, and events are not lost that come before it', async () => {
  await using _emulator = await emulator(({ execute, id }, socket) => {
    if (execute !== 'qmp_capabilities') say(socket, { event: 'DONE', data: { device: 'one' } });
    say(socket, { id, return: { to: execute } });
  });
  const heard = await Monitor.talk(machine, 'test it', never, async (monitor) => [
    await monitor.ask('one'),
    await monitor.ask('two'),
    await monitor.event((event, { device }) => (event === 'DONE' ? device : undefined)),
  ]);
  expect(heard).toEqual([{ to: 'one' }, { to: 'two' }, 'one']);
});

test('what cannot be done is said in the words of QEMU, a full disk as a lack of capacity', async () => {
  await using _emulator = await emulator(({ execute, id }, socket) =>
    say(socket, execute === 'qmp_capabilities' ? { id, return: {} } : { id, error: { class: 'GenericError', desc: execute } }),
  );
  const ask = (what: string): Promise<unknown> => Monitor.talk(machine, 'test it', never, (monitor) => monitor.ask(what));
  await expect(ask('no such disk')).rejects.toMatchObject({ code: 'internal', message: 'QEMU could not test it: no such disk' });
  await expect(ask('No space left on device')).rejects.toMatchObject({ code: 'capacity' });
});

test('nobody waits for a machine that does not answer, that ends meanwhile, or that does not run', async () => {
  const ask = (signal = never): Promise<unknown> => Monitor.talk(machine, 'test it', signal, (monitor) => monitor.ask('it'));
  expect(await ask()).toBeUndefined();
  const stop = new AbortController();
  {
    await using _silent = await emulator(({ execute, id }, socket) => {
      if (execute === 'qmp_capabilities') say(socket, { id, return: {} });
      else stop.abort();
    });
    await expect(ask(stop.signal)).rejects.toMatchObject({ code: 'timeout', message: 'Gave up to test it' });
    await expect(ask(stop.signal)).rejects.toMatchObject({ code: 'timeout' });
  }
  await using _ending = await emulator((_asked, socket) => socket.end());
  await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
});
