import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { carriersOf, context, first, lives, openHost, textOf, until } from './testing/host.ts';

const pidOf = (path: string) => until(`a pid in ${path}`, async () => Number(await textOf(path)) || undefined);

test.each([
  ['that left the session', 'setsid nohup sleep 100 </dev/null >/dev/null 2>&1 &'],
  ['with another directory and output', '(cd / && exec setsid sleep 100 </dev/null >/dev/null 2>&1) &'],
  ['with a cleared environment', 'env -i setsid sleep 100 </dev/null >/dev/null 2>&1 &'],
  ['with a cleared environment and directory, which still writes to the console', '(cd / && exec env -i setsid sleep 100) &'],
])('a daemon %s does not survive', async (_, start) => {
  await using host = await openHost();
  const machine = await host.launchOne(`#!/bin/sh\n${start}\necho $! >daemon\n`);
  const daemon = await pidOf(host.path(machine, 'daemon'));
  expect(lives(daemon)).toBe(true);
  await host.connector.terminate([machine.id], context);
  expect(lives(daemon)).toBe(false);
});

test('the children of a machine belong to it, whatever they cleared', async () => {
  await using host = await openHost();
  const child = 'cd /; env -i sleep 100 </dev/null >/dev/null 2>&1 & echo $! >"$0"; wait';
  const machine = await host.launchOne(`#!/bin/sh\nsetsid sh -c '${child}' "$PWD/child" &\n`);
  const daemon = await pidOf(host.path(machine, 'child'));
  await host.connector.terminate([machine.id], context);
  expect(lives(daemon)).toBe(false);
});

test('a daemon that ignores SIGTERM is killed, a friendly one has the time to clean up', async () => {
  await using host = await openHost();
  const machine = await host.launchOne(`#!/bin/sh
setsid sh -c 'trap "" TERM; echo $$ >stubborn; while :; do sleep 100; done' &
setsid sh -c 'trap "sleep 0.2; echo bye >../../bye; exit" TERM; echo $$ >friendly; while :; do sleep 0.05; done' &
`);
  const pids = await Promise.all(['stubborn', 'friendly'].map((name) => pidOf(host.path(machine, name))));
  const begin = performance.now();
  await host.connector.terminate([machine.id], context);
  expect(performance.now() - begin).toBeGreaterThan(1_900);
  expect(await carriersOf(machine.id)).toEqual([]);
  expect(pids.map((pid) => lives(pid))).toEqual([false, false]);
  expect(await textOf(join(host.root, 'bye'))).toBe('bye');
});

test('terminating a machine leaves its neighbours and bystanders alone', async () => {
  await using host = await openHost();
  const [one, two] = await host.launch('#!/bin/sh\nsetsid sleep 100 &\necho $! >daemon\n', { count: 2 });
  const [daemon = 0, neighbour = 0] = await Promise.all([one, two].map((machine) => pidOf(host.path(machine ?? { id: '' }, 'daemon'))));
  const bystander = spawn('tail', ['-f', host.path(one ?? { id: '' }, 'console.log')], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await host.connector.terminate([one?.id ?? ''], context);
  expect([daemon, neighbour, bystander.pid ?? 0].map((pid) => lives(pid))).toEqual([false, true, true]);
  expect(await host.describe(two?.id ?? '')).toMatchObject({ state: 'running' });
  bystander.kill();
});

test('two machines of a node listen on the same port', async () => {
  await using host = await openHost();
  const server =
    "require('node:http').createServer((_, answer) => answer.end(process.env.PACELINE_MACHINE)).listen(PORT, process.env.PACELINE_ADDRESS)";
  // A port nobody on this host asks for: the point is that both take the same.
  const userData = `#!/bin/sh\nsetsid "$PACELINE_NODE" -e "${server.replace('PORT', '28817')}" &\n`;
  const machines = await host.launch(userData, { count: 2 });
  for (const machine of machines) {
    const answer = await until('an answer', async () =>
      fetch(`http://${first(machine.privateIps)}:28817/`).then(
        (response) => response.text(),
        () => undefined,
      ),
    );
    expect(answer).toBe(machine.id);
  }
});

test('files that are write-protected go too, and names in a machine never lead out of it', async () => {
  await using host = await openHost();
  const machine = await host.launchOne('#!/bin/sh\nmkdir -p a/b && echo x >a/b/c && ln -s / outside && chmod -R a-w a\n');
  await until('the user data has run', () => textOf(host.path(machine, 'exit')));
  await host.connector.terminate([machine.id], context);
  expect(await readdir(join(host.root, 'machines'))).toEqual([]);
});
