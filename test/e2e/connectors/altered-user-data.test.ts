import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lxdSocket } from '../../support/lxd.ts';
import { until } from '../../support/until.ts';
import { clouds, eventsOf, leaveNothing, onlyRun, personWith, projectWith } from './clouds.ts';

const { why } = clouds.lxd;
const limitMs = 600_000;

/** Stands between the engine and LXD, and alters what machines are asked for. */
async function openMeddler(socket: string, alter: (body: string) => string): Promise<Disposable> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const isLaunch = request.method === 'POST' && request.url?.startsWith('/1.0/instances') === true;
      const sent = isLaunch ? alter(body) : body;
      const { method, url: path, headers } = request;
      const forwarded = send({ socketPath: lxdSocket, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      forwarded.on('error', () => response.destroy()).end(sent);
    });
  }).listen(socket);
  await once(server, 'listening');
  return {
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What a run says when the user data of its machine was altered on the way, without changing its length. */
async function expectOfAltered(alter: (body: string) => string, said: RegExp): Promise<void> {
  const socket = join(await mkdtemp(join(tmpdir(), 'paceline-meddler-')), 'socket');
  const person = await personWith({ lxd: { socket } });
  using _ = await openMeddler(socket, alter);
  try {
    const up = await person.type(['up', await projectWith('#!/bin/sh\n'), '--cloud', 'lxd', '--detach']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    const { id } = await onlyRun(person);
    await until(async () => expect((await eventsOf(person, id)).map(({ message }) => message).join('\n')).toMatch(said), 240_000, 1000);
  } finally {
    await leaveNothing(person);
  }
}

test(
  'a machine whose user data names another agent than its engine has runs nothing of it',
  async ({ skip }) => {
    skip(why !== undefined, why);
    await expectOfAltered(
      (body) => body.replaceAll(/sha=[0-9a-f]{64}/g, `sha=${'0'.repeat(64)}`),
      /box\.1: the end of its console:\n.*paceline: .*\n[^]*Abort from 'box\.1', message: box\.1 is lost/,
    );
  },
  limitMs,
);

test(
  'a machine whose user data has another secret is refused, with an alarm',
  async ({ skip }) => {
    skip(why !== undefined, why);
    await expectOfAltered(
      (body) => body.replaceAll(/(\\"secret\\":\\")[\w-]{43}/g, `$1${'x'.repeat(43)}`),
      /A machine tried to join as box\.1 and was refused: its secret is not the one that was given to this machine/,
    );
  },
  limitMs,
);
