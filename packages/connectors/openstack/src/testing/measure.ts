// `node --conditions=@paceline/source packages/connectors/openstack/src/testing/measure.ts [MACHINES]`: launches machines by the connector, as the
// engine does, and by a loop over OpenStack's own client, and counts what both ask of the cloud.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openFaultProxy } from '@paceline/engine/conformance';
import type { ConnectorContext } from '@paceline/engine/connector';
import { connectorModule } from '../index.ts';
import { openGateway, reason, removeClouds, writeClouds } from './openstack.ts';

const count = Number(process.argv[2] ?? '200');
const batch = 50;
const lookEveryMs = 2000;

interface Figures {
  who: string;
  calls: number;
  launchedMs: number;
  runningMs: number;
  goneMs: number;
}

/** The official client, in the plainest loop: make each, then wait for each, then delete each. */
const loop = `
import sys, time, openstack
connection, count = openstack.connect(cloud='paceline'), int(sys.argv[1])
begun = time.time()
servers = [connection.create_server(f'loop-{n}', image='debian-12', flavor='m1.nano', network='paceline', wait=False) for n in range(count)]
launched = time.time()
for server in servers: connection.wait_for_server(server, timeout=3600)
running = time.time()
for server in servers: connection.delete_server(server.id, wait=False)
while any(s.name.startswith('loop-') for s in connection.compute.servers()): time.sleep(2)
print(int((launched - begun) * 1000), int((running - begun) * 1000), int((time.time() - running) * 1000))
`;

const context: ConnectorContext = { signal: new AbortController().signal, now: Date.now, log: { info: () => {}, warn: console.warn } };

async function byConnector(cloudsFile: string): Promise<Omit<Figures, 'calls'>> {
  const connector = connectorModule.createConnector({ cloud: 'paceline', cloudsFile, image: 'debian-12' });
  const token = randomBytes(16).toString('hex');
  const begun = Date.now();
  const ids: string[] = [];
  for (let from = 0; from < count; from += batch) {
    const machines = Array.from({ length: Math.min(batch, count - from) }, (_, at) => ({
      index: from + at + 1,
      name: `measured-${from + at + 1}`,
      userData: randomBytes(3000),
    }));
    const owner = { engine: 'measure', run: token, node: 'node' };
    const launched = await connector.launch(
      { token, owner, machines, image: '', ports: [], expiresAt: new Date(begun + 3_600_000) },
      context,
    );
    ids.push(...launched.map(({ id }) => id));
  }
  const launchedMs = Date.now() - begun;
  while ([...(await connector.describe(ids, context)).values()].some(({ state }) => state !== 'running')) await pause(lookEveryMs);
  const runningMs = Date.now() - begun;
  const ending = Date.now();
  while ((await connector.terminate(ids, context)).some(({ gone }) => !gone)) await pause(lookEveryMs);
  const goneMs = Date.now() - ending;
  await connector.close?.();
  return { who: 'connector', launchedMs, runningMs, goneMs };
}

async function byLoop(cloudsFile: string): Promise<Omit<Figures, 'calls'>> {
  const child = spawn('/usr/bin/python3', ['-c', loop, String(count)], {
    env: { ...process.env, OS_CLIENT_CONFIG_FILE: cloudsFile },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`the loop ended with ${String(code)}`);
  const [launchedMs = 0, runningMs = 0, goneMs = 0] = output.trim().split(' ').map(Number);
  return { who: 'openstacksdk loop', launchedMs, runningMs, goneMs };
}

if (reason !== undefined) throw new Error(reason);
await using gateway = await openGateway();
try {
  for (const way of [byConnector, byLoop]) {
    await using proxy = await openFaultProxy(gateway.url);
    const figures: Figures = { calls: 0, ...(await way(await writeClouds(proxy.url))) };
    const kinds = Map.groupBy(proxy.seen, ({ method, path }) => `${method} ${path.replace(/\?.*/, '').replace(/[0-9a-f-]{32,36}/g, 'ID')}`);
    console.log(JSON.stringify({ ...figures, calls: proxy.seen.length }));
    for (const [kind, { length }] of [...kinds].toSorted((one, other) => other[1].length - one[1].length))
      console.log(`  ${length} ${kind}`);
  }
} finally {
  await removeClouds();
}
