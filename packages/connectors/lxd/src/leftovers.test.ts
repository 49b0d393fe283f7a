import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isConnectorError, type ConnectorErrorCode } from '@paceline/engine/connector';
import { describe, expect, test } from 'vitest';
import { openFaultProxy } from './testing/fault-proxy.ts';
import { context, openLxd, until } from './testing/lxd.ts';
import { withLxd } from './testing/with-lxd.ts';

const limitMs = 120_000;
const transient: ConnectorErrorCode[] = ['unavailable', 'timeout', 'throttled'];

/** Tries again after failures that pass, as the engine does. */
function persistently<T>(what: string, call: () => Promise<T>): Promise<T> {
  return until(
    what,
    () =>
      call().catch((error: unknown) => {
        if (isConnectorError(error) && transient.includes(error.code)) {
          return undefined;
        }
        throw error;
      }),
    60_000,
  );
}

describe('a lost answer costs no second machine:', () => {
  const answers = {
    'to the making': /^POST \/1.0\/instances$/,
    'to the wait for it': /^GET \/1.0\/operations\/.*\/wait$/,
    'to the start': /^PUT \/1.0\/instances\/.*\/state$/,
    'to a look at the machine': /^GET \/1.0\/instances\//,
  };
  for (const [what, pattern] of Object.entries(answers)) {
    test(
      `${what}`,
      withLxd(async () => {
        await using proxy = await openFaultProxy();
        await using lxd = await openLxd({ socket: proxy.socket });
        const request = lxd.request('#!/bin/sh\n');
        let lost = 0;
        proxy.lose = (name) => pattern.test(name) && (lost += 1) === 1;
        // What the connector can look up at once is no failure.
        await lxd.connector.launch(request, context).catch((error: unknown) => expect(error).toMatchObject({ code: 'unavailable' }));
        expect(lost).toBeGreaterThan(0);
        const machines = await persistently('the next attempt', () => lxd.connector.launch(request, context));
        expect(machines).toMatchObject([{ id: `server-1-${lxd.suffix}`, state: 'running' }]);
        expect(await lxd.instances()).toHaveLength(1);
        expect(await lxd.list({ token: request.token })).toMatchObject([{ machine: { state: 'running' } }]);
      }),
      limitMs,
    );
  }
});

test(
  'a lost answer to the removal is made up for by the next attempt',
  withLxd(async () => {
    await using proxy = await openFaultProxy();
    await using lxd = await openLxd({ socket: proxy.socket });
    const { id } = await lxd.launchOne('#!/bin/sh\n');
    let lost = 0;
    proxy.lose = (name) => name.startsWith('DELETE') && (lost += 1) === 1;
    await expect(lxd.connector.terminate([id], context)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await persistently('the end', () => lxd.connector.terminate([id], context))).toEqual([{ id, gone: true }]);
    expect(await lxd.instances()).toEqual([]);
  }),
  limitMs,
);

describe('an engine that is killed leaves nothing that is not shown, and nothing half made is taken for a machine:', () => {
  const moments = {
    'when a machine was asked for': /^POST \/1.0\/instances$/,
    'when a machine was made': /^GET \/1.0\/operations\/.*\/wait$/,
    'when a start was asked for': /^PUT \/1.0\/instances\/.*\/state$/,
  };
  for (const [what, pattern] of Object.entries(moments)) {
    test(
      `${what}`,
      withLxd(async () => {
        await using proxy = await openFaultProxy();
        await using lxd = await openLxd({ socket: proxy.socket });
        const request = lxd.request('#!/bin/sh\n', { count: 2 });
        const program = fileURLToPath(new URL('testing/engine.ts', import.meta.url));
        const engine = spawn(process.execPath, ['--conditions=@paceline/source', program, JSON.stringify({ config: lxd.config, request })]);
        const ended = once(engine, 'exit');
        proxy.lose = (name) => pattern.test(name) && engine.kill('SIGKILL');
        expect(await ended).toEqual([null, 'SIGKILL']);
        proxy.lose = () => false;

        // The server goes on with what it was asked for.
        const shown = await until('the machines are there', async () => {
          const resources = await lxd.list({ token: request.token });
          return resources.length > 0 && resources;
        });
        expect(shown.map(({ id }) => id).toSorted()).toEqual((await lxd.instances()).toSorted());
        for (const { machine } of shown) {
          expect([undefined, 'pending', 'running']).toContain(machine?.state);
        }
        await persistently('the next engine', async () => {
          const machines = await lxd.connector.launch(request, context);
          return machines.length === 2 ? machines : undefined;
        });
        const machines = await lxd.list({ token: request.token });
        expect(machines.map(({ machine }) => machine?.state)).toEqual(['running', 'running']);
      }),
      limitMs,
    );
  }
});
