// `node --conditions=@paceline/source packages/connectors/openstack/src/testing/measure.ts [MACHINES] [WHO…]`: launches machines by the connector,
// as the engine does, and by a loop over OpenStack's own client, and counts what both ask of the cloud.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { openFaultProxy } from '@paceline/engine/conformance';
import type { ConnectorContext } from '@paceline/engine/connector';
import { connectorModule } from '../index.ts';
import { openGateway, reason, removeClouds, writeClouds } from './openstack.ts';

const count = Number(process.argv[2] ?? '200');
const lookEveryMs = 2000;

/** The official client, in the plainest loop: make each, then wait for each, then delete each. */
const loop = `
import sys, time, openstack
connection, count = openstack.connect(cloud='paceline'), int(sys.argv[1])
servers = [connection.create_server(f'loop-{n}', image='debian-12', flavor='m1.nano', network='paceline', wait=False) for n in range(count)]
print('launched', flush=True)
for server in servers: connection.wait_for_server(server, timeout=3600)
print('running', flush=True)
for server in servers: connection.delete_server(server.id, wait=False)
while any(s.name.startswith('loop-') for s in connection.compute.servers()): time.sleep(2)
print('gone', flush=True)
`;

const context: ConnectorContext = { signal: new AbortController().signal, now: Date.now, log: { info: () => {}, warn: console.warn } };

async function* byConnector(cloudsFile: string): AsyncGenerator<string> {
  const connector = connectorModule.createConnector({ cloud: 'paceline', cloudsFile, image: 'debian-12' });
  const token = randomBytes(16).toString('hex');
  const { sharedLaunch, maxBatch } = connector.capabilities;
  const batch = sharedLaunch?.maxBatch ?? maxBatch;
  const ids: string[] = [];
  for (let from = 0; from < count; from += batch) {
    const machines = Array.from({ length: Math.min(batch, count - from) }, (_, at) => ({
      index: from + at + 1,
      name: `measured-${from + at + 1}`,
      userData: randomBytes(3000),
    }));
    const launched = await connector.launch(
      {
        token,
        owner: { engine: 'measure', run: token, node: 'node' },
        machines,
        ...(sharedLaunch && { shared: { name: `measured-${from + 1}`, userData: randomBytes(3000) } }),
        image: '',
        ports: [],
        expiresAt: new Date(Date.now() + 3_600_000),
      },
      context,
    );
    ids.push(...launched.map(({ id }) => id));
  }
  if (ids.length !== count) throw new Error(`${ids.length} of ${count} machines were launched`);
  yield 'launched';
  while ([...(await connector.describe(ids, context)).values()].some(({ state }) => state !== 'running')) await pause(lookEveryMs);
  yield 'running';
  while ((await connector.terminate(ids, context)).some(({ gone }) => !gone)) await pause(lookEveryMs);
  yield 'gone';
  await connector.close?.();
}

async function* byLoop(cloudsFile: string): AsyncGenerator<string> {
  const child = spawn('/usr/bin/python3', ['-c', loop, String(count)], {
    env: { ...process.env, OS_CLIENT_CONFIG_FILE: cloudsFile },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  yield* createInterface({ input: child.stdout });
  const code = await ended;
  if (code !== 0) throw new Error(`the loop ended with ${String(code)}`);
}

if (reason !== undefined) throw new Error(reason);
const ways = { connector: byConnector, loop: byLoop };
const wanted = process.argv.slice(3);
await using gateway = await openGateway();
try {
  for (const [who, way] of Object.entries(ways)) {
    if (wanted.length > 0 && !wanted.includes(who)) continue;
    await using proxy = await openFaultProxy(gateway.url);
    const begun = Date.now();
    for await (const phase of way(await writeClouds(proxy.url))) {
      console.log(`${who}: ${count} machines ${phase} after ${Date.now() - begun} ms and ${proxy.seen.length} calls`);
    }
    const kinds = Map.groupBy(proxy.seen, ({ method, path }) => `${method} ${path.replace(/\?.*/, '').replace(/[0-9a-f-]{32,36}/g, 'ID')}`);
    for (const [kind, { length }] of [...kinds].toSorted((one, other) => other[1].length - one[1].length))
      console.log(`  ${length} ${kind}`);
  }
} finally {
  await removeClouds();
}
