// `node --conditions=@paceline/source packages/connectors/openstack/src/testing/measure.ts [MACHINES] [WHO…]`: launches machines by the connector,
// as the engine does, and by a loop over OpenStack's own client, and counts what both ask of the cloud. `throttled` is the connector while
// the cloud turns some of its requests away.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { openFaultProxy, type FaultProxy, type ProxiedAnswer } from '@paceline/engine/conformance';
import { isConnectorError, type ConnectorContext } from '@paceline/engine/connector';
import { connectorModule } from '../index.ts';
import { openGateway, reason, removeClouds, writeClouds } from './openstack.ts';

const count = Number(process.argv[2] ?? '200');
const lookEveryMs = 5000;

/** The official client, in the plainest loop: make each, then wait for each, then delete each. */
const loop = `
import sys, time, openstack
connection, count = openstack.connect(cloud='paceline'), int(sys.argv[1])
servers = [connection.create_server(f'loop-{n}', image='debian-12', flavor='m1.nano', network='paceline', wait=False) for n in range(count)]
print('launched', flush=True)
for server in servers: connection.wait_for_server(server, auto_ip=False, timeout=3600)
print('running', flush=True)
for server in servers: connection.delete_server(server.id, wait=False)
while any(s.name.startswith('loop-') for s in connection.compute.servers()): time.sleep(2)
print('gone', flush=True)
`;

const context: ConnectorContext = { signal: new AbortController().signal, now: Date.now, log: { info: () => {}, warn: console.warn } };

async function* byConnector(cloudsFile: string): AsyncGenerator<string> {
  const connector = connectorModule.createConnector({ cloud: 'paceline', cloudsFile, image: 'debian-12' });
  const token = randomBytes(16).toString('hex');
  const owner = { engine: 'measure', run: token };
  const { sharedLaunch, maxBatch } = connector.capabilities;
  const batch = sharedLaunch?.maxBatch ?? maxBatch;
  const ids: string[] = [];
  for (let from = 0; from < count; from += batch) {
    const machines = Array.from({ length: Math.min(batch, count - from) }, (_, at) => ({
      index: from + at + 1,
      name: `measured-${from + at + 1}`,
      userData: randomBytes(3000),
    }));
    const request = {
      token,
      owner: { ...owner, node: 'node' },
      machines,
      ...(sharedLaunch && { shared: { name: `measured-${from + 1}`, userData: randomBytes(3000) } }),
      image: '',
      ports: [],
      expiresAt: new Date(Date.now() + 3_600_000),
    };
    const launched = await insist(() => connector.launch(request, context));
    ids.push(...launched.map(({ id }) => id));
  }
  if (ids.length !== count) throw new Error(`${ids.length} of ${count} machines were launched`);
  yield 'launched';
  const describe = () => insist(() => connector.describe(ids, context));
  while ([...(await describe()).values()].some(({ state }) => state !== 'running')) await pause(lookEveryMs);
  const listed = await insist(async () => {
    let machines = 0;
    for await (const { kind } of connector.list(owner, context)) if (kind === 'machine') machines += 1;
    return machines;
  });
  if (listed !== count) throw new Error(`there are ${listed} machines instead of ${count}`);
  yield 'running';
  while ((await insist(() => connector.terminate(ids, context))).some(({ gone }) => !gone)) await pause(lookEveryMs);
  yield 'gone';
  await connector.close?.();
}

/** As the engine does with those who are turned away for their speed. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isConnectorError(error) || error.code !== 'throttled') throw error;
      await pause(error.details.retryAfterMs ?? 1000);
    }
  }
}

/** What clouds say to those who ask too often; each in its own way. */
const refusals: ProxiedAnswer[] = [429, 413].map((status) => ({ status, headers: { 'retry-after': '1' } }));

/** Every tenth request is turned away. @returns how many were */
function throttle(proxy: FaultProxy): () => number {
  let refused = 0;
  proxy.fault = () => {
    const answer = Math.random() < 0.1 ? refusals[refused % refusals.length] : undefined;
    if (answer !== undefined) refused += 1;
    return answer && { answer };
  };
  return () => refused;
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
const ways = { connector: byConnector, throttled: byConnector, loop: byLoop };
const wanted = process.argv.slice(3);
await using gateway = await openGateway();
try {
  for (const [who, way] of Object.entries(ways)) {
    if (wanted.length > 0 && !wanted.includes(who)) continue;
    await using proxy = await openFaultProxy(gateway.url);
    const refused = who === 'throttled' ? throttle(proxy) : () => 0;
    const begun = Date.now();
    for await (const phase of way(await writeClouds(proxy.url))) {
      console.log(
        `${who}: ${count} machines ${phase} after ${Date.now() - begun} ms and ${proxy.seen.length} calls, of which ${refused()} were refused`,
      );
    }
    const kinds = Map.groupBy(proxy.seen, ({ method, path }) => `${method} ${path.replace(/\?.*/, '').replace(/[0-9a-f-]{32,36}/g, 'ID')}`);
    for (const [kind, { length }] of [...kinds].toSorted((one, other) => other[1].length - one[1].length))
      console.log(`  ${length} ${kind}`);
  }
} finally {
  await removeClouds();
}
