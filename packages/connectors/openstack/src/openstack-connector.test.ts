import { randomBytes } from 'node:crypto';
import { openFaultProxy, type FaultProxy } from '@paceline/engine/conformance';
import {
  isConnectorError,
  type Connector,
  type ConnectorContext,
  type LaunchRequest,
  type Machine,
  type Resource,
} from '@paceline/engine/connector';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectorModule } from './index.ts';
import { isLaunch, openGateway, reason, removeClouds, writeClouds, type Gateway } from './testing/openstack.ts';

const context: ConnectorContext = { signal: new AbortController().signal, log: { info: () => {}, warn: () => {} }, now: Date.now };
const patience = { timeout: 90_000, interval: 500 };

describe.skipIf(reason !== undefined)(`OpenStack${reason === undefined ? '' : ` (${reason})`}`, { timeout: 240_000 }, () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  let connector: Connector;
  let clouds: string;
  const engine = `engine-${randomBytes(8).toString('hex')}`;

  beforeAll(async () => {
    gateway = await openGateway(2);
    proxy = await openFaultProxy(gateway.url);
    clouds = await writeClouds(proxy.url);
  });
  afterAll(async () => {
    // What a test that has failed has left.
    proxy.fault = () => undefined;
    const last = connect();
    const left: string[] = [];
    for await (const { kind, id } of last.list({ engine }, context)) if (kind === 'machine') left.push(id);
    if (left.length > 0) await end(last, left);
    await last.close?.();
    await proxy[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await removeClouds();
  }, 120_000);
  beforeEach(() => {
    proxy.fault = () => undefined;
    proxy.seen.length = 0;
    connector = connect();
    return () => connector.close?.();
  });

  function connect(config: Record<string, unknown> = {}): Connector {
    return connectorModule.createConnector({ cloud: 'paceline', cloudsFile: clouds, image: 'debian-12', ...config });
  }

  function request({ count = 1, ...rest }: Partial<LaunchRequest> & { count?: number } = {}): LaunchRequest {
    const token = randomBytes(16).toString('hex');
    return {
      token,
      owner: { engine, run: `run-${token.slice(0, 8)}`, node: 'web' },
      machines: Array.from({ length: count }, (_, at) => ({
        index: at + 1,
        name: `web-${at + 1}-${token.slice(0, 8)}`,
        userData: Buffer.from([0x23, 0x21, at, 0xff]),
      })),
      image: '',
      ports: [],
      expiresAt: new Date(Date.now() + 3_600_000),
      ...rest,
    };
  }

  const launches = () => proxy.seen.filter(isLaunch).map(({ body }) => (JSON.parse(body) as { server: Record<string, unknown> }).server);
  const listed = async (by: Connector, run: string): Promise<Resource[]> => {
    const found: Resource[] = [];
    for await (const resource of by.list({ engine, run }, context)) found.push(resource);
    return found;
  };
  const end = (by: Connector, ids: string[]): Promise<void> =>
    vi.waitFor(async () => {
      const results = await by.terminate(ids, context);
      if (results.some(({ gone }) => !gone)) throw new Error('not yet');
    }, patience);
  const when = (by: Connector, id: string, is: (machine: Machine) => boolean): Promise<Machine> =>
    vi.waitFor(async () => {
      const machine = (await by.describe([id], context)).get(id);
      if (machine === undefined || !is(machine)) throw new Error(`not yet: ${machine?.state}`);
      return machine;
    }, patience);
  const failureOf = async (call: Promise<unknown>): Promise<{ code: string; message: string }> => {
    const error: unknown = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!isConnectorError(error)) throw new Error('it did not fail as connectors do', { cause: error });
    return error;
  };

  test('each machine has its own user data, and the smallest flavor that is enough', async () => {
    const wanted = request({ count: 2, cpus: 1, memoryMiB: 1024, login: 'debian' });
    const machines = await connector.launch(wanted, context);
    const told = launches().map((server) => Buffer.from(String(server['user_data']), 'base64')[2]);
    expect(new Set(told)).toEqual(new Set([0, 1]));
    const running = await when(connector, machines[0]?.id ?? '', ({ state, privateIps }) => state === 'running' && privateIps.length > 0);
    expect(running).toMatchObject({ index: 1, name: wanted.machines[0]?.name, login: 'debian', publicIps: [] });
    await end(
      connector,
      machines.map(({ id }) => id),
    );
    const refused = await failureOf(connector.launch(request({ cpus: 64, memoryMiB: 4_000_000 }), context));
    expect(refused).toMatchObject({ code: 'invalid', message: 'No flavor has 64 CPUs, 4000000 MiB of memory and a disk of 0 GiB' });
  });

  test('machines with user data in common are launched by one request, and one that was given another name is still ours', async () => {
    const shared = { name: `web-${randomBytes(4).toString('hex')}`, userData: Buffer.from('#!/bin/sh\n') };
    const wanted = { ...request({ count: 5 }), shared };
    const machines = await connector.launch(wanted, context);
    expect(launches()).toMatchObject([
      {
        name: shared.name,
        user_data: shared.userData.toString('base64'),
        min_count: 1,
        max_count: 5,
        metadata: { 'paceline:indices': '1-5' },
      },
    ]);
    expect(machines.map(({ index, name }) => `${index} ${name}`)).toEqual(
      [1, 2, 3, 4, 5].map((number) => `${number} ${shared.name}-${number}`),
    );
    const renamed = machines[1]?.id ?? '';
    await when(connector, renamed, ({ state }) => state === 'running');
    const { path = '', headers = {} } = proxy.seen.find(isLaunch) ?? {};
    const answer = await fetch(`${gateway.url}${path}/${renamed}`, {
      method: 'PUT',
      headers: { 'x-auth-token': String(headers['x-auth-token']), 'content-type': 'application/json' },
      body: JSON.stringify({ server: { name: 'mine' } }),
    });
    expect(answer.status).toBe(200);
    const found = await listed(connector, wanted.owner.run);
    expect(found.flatMap(({ machine }) => machine?.index ?? []).toSorted((one, other) => one - other)).toEqual([0, 1, 3, 4, 5]);
    await end(
      connector,
      machines.map(({ id }) => id),
    );
    expect(await listed(connector, wanted.owner.run)).toEqual([]);
  });

  test('only machines without floating addresses are launched together', async () => {
    const outside = connect({ floatingNetwork: 'public' });
    expect([connector.capabilities.sharedLaunch?.maxBatch, outside.capabilities.sharedLaunch]).toEqual([200, undefined]);
    await outside.close?.();
  });

  test('machines reach each other, others the declared ports alone, and the groups go with the last machine', async () => {
    const wanted = request({ count: 2, ports: [{ port: 8080, protocol: 'tcp' }] });
    const machines = await connector.launch(wanted, context);
    const rules = proxy.seen.filter(({ method, path }) => method === 'POST' && path.endsWith('/security-group-rules'));
    expect(
      rules.flatMap(
        ({ body }) =>
          (JSON.parse(body) as { security_group_rules: { port_range_min?: number; remote_ip_prefix?: string }[] }).security_group_rules,
      ),
    ).toMatchObject([
      { ethertype: 'IPv4', direction: 'ingress' },
      { ethertype: 'IPv6', direction: 'ingress' },
      { port_range_min: 8080, port_range_max: 8080, protocol: 'tcp', remote_ip_prefix: '0.0.0.0/0' },
      { port_range_min: 8080, remote_ip_prefix: '::/0' },
    ]);
    const [first, second] = machines.map(({ id }) => id);
    await end(connector, [first ?? '']);
    expect((await listed(connector, wanted.owner.run)).map(({ kind }) => kind).toSorted()).toEqual(['group', 'group', 'machine']);
    await end(connector, [second ?? '']);
    expect(await listed(connector, wanted.owner.run)).toEqual([]);
  });

  test('two nodes that are launched at once share one group of the run', async () => {
    const run = { engine, run: `run-${randomBytes(4).toString('hex')}` };
    const both = [request({ owner: { ...run, node: 'web' } }), request({ owner: { ...run, node: 'client' } })];
    const machines = (await Promise.all(both.map((one) => connector.launch(one, context)))).flat();
    expect((await listed(connector, run.run)).filter(({ kind }) => kind === 'group')).toHaveLength(1);
    await end(
      connector,
      machines.map(({ id }) => id),
    );
  });

  test('more machines than fit on a page are all described and ended, by few requests', async () => {
    const machines = await connector.launch(request({ count: 5 }), context);
    const ids = machines.map(({ id }) => id);
    proxy.seen.length = 0;
    expect([...(await connector.describe(ids, context)).keys()].toSorted()).toEqual(ids.toSorted());
    const asked = proxy.seen.filter(({ path }) => path.includes('/servers'));
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.every(({ path }) => path.includes('/servers/detail?'))).toBe(true);
    await end(connector, ids);
  });

  test('a machine with a floating address has it, and gives it back', async () => {
    const outside = connect({ floatingNetwork: 'public' });
    const wanted = request({ count: 2 });
    const machines = await outside.launch(wanted, context);
    const running = await when(outside, machines[0]?.id ?? '', ({ state, publicIps }) => state === 'running' && publicIps.length > 0);
    expect(running.publicIps[0]).toMatch(/^203\.0\.11[2-5]\./);
    expect((await listed(outside, wanted.owner.run)).map(({ kind }) => kind).toSorted()).toEqual(['group', 'machine', 'machine']);
    await end(
      outside,
      machines.map(({ id }) => id),
    );
    expect(await listed(outside, wanted.owner.run)).toEqual([]);
    await outside.close?.();
  });

  test('addresses of a launch that has failed are shown as left, taken by the next one, or removed', async () => {
    const outside = connect({ floatingNetwork: 'public' });
    proxy.fault = (one) => (isLaunch(one) ? 'cut' : undefined);
    const wanted = request();
    await failureOf(outside.launch(wanted, context));
    const left = await listed(outside, wanted.owner.run);
    expect(left.map(({ kind }) => kind).toSorted()).toEqual(['address', 'group', 'network']);
    proxy.fault = () => undefined;
    const machines = await outside.launch(wanted, context);
    expect((await listed(outside, wanted.owner.run)).map(({ kind }) => kind).toSorted()).toEqual(['group', 'machine']);
    await end(
      outside,
      machines.map(({ id }) => id),
    );
    proxy.fault = (one) => (isLaunch(one) ? 'cut' : undefined);
    const other = request();
    await failureOf(outside.launch(other, context));
    proxy.fault = () => undefined;
    for (const resource of await listed(outside, other.owner.run)) await outside.remove?.(resource, context);
    expect(await listed(outside, other.owner.run)).toEqual([]);
    await outside.close?.();
  });

  test('of a machine that was launched twice all the same the oldest is kept', async () => {
    const wanted = request();
    const [one] = await connector.launch(wanted, context);
    // What a request does that comes out late.
    proxy.fault = ({ method, path }) =>
      method === 'GET' && path.includes('/servers/detail') ? { answer: { status: 200, body: '{"servers":[]}' } } : undefined;
    const [two] = await connector.launch(wanted, context);
    proxy.fault = () => undefined;
    expect(two?.id).not.toBe(one?.id);
    expect((await connector.launch(wanted, context)).map(({ id }) => id)).toEqual([one?.id]);
    await vi.waitFor(async () => expect((await connector.describe([two?.id ?? ''], context)).size).toBe(0), patience);
    await end(connector, [one?.id ?? '']);
  });

  test('an image of a machine that is busy is asked for later', async () => {
    const [machine] = await connector.launch(request(), context);
    const id = machine?.id ?? '';
    await when(connector, id, ({ state }) => state === 'running');
    const said = `Cannot 'createImage' instance ${id} while it is in task_state image_uploading`;
    const answer = { status: 409, body: JSON.stringify({ conflictingRequest: { code: 409, message: said } }) };
    proxy.fault = ({ path }) => (path.endsWith('/action') ? { answer } : undefined);
    const make = async (): Promise<unknown> => connector.createImage?.(id, `busy-${id}`, context);
    expect(await failureOf(make())).toMatchObject({ code: 'unavailable', message: expect.stringContaining(said) as string });
    await end(connector, [id]);
  });

  test('an end that Nova has accepted and lost is asked for again, though not all the time', async () => {
    const [machine] = await connector.launch(request(), context);
    const id = machine?.id ?? '';
    await when(connector, id, ({ state }) => state === 'running');
    const isEnd = ({ method, path }: { method: string; path: string }): boolean => method === 'DELETE' && path.includes('/servers/');
    const shown = {
      id,
      name: 'web',
      status: 'ACTIVE',
      created: new Date(),
      metadata: { 'paceline:engine': engine, 'paceline:run': 'run', 'paceline:index': '1' },
    };
    const ending = JSON.stringify({ server: { ...shown, 'OS-EXT-STS:task_state': 'deleting' } });
    proxy.fault = (one) =>
      isEnd(one)
        ? { answer: { status: 204 } }
        : one.method === 'GET' && one.path.includes(id)
          ? { answer: { status: 200, body: ending } }
          : undefined;
    let now = 1_000_000;
    const later = { ...context, now: () => now };
    const asked = async (): Promise<number> => {
      await connector.terminate([id], later);
      return proxy.seen.filter(isEnd).length;
    };
    expect([await asked(), await asked()]).toEqual([1, 1]);
    now += 60_000;
    expect(await asked()).toBe(2);
    proxy.fault = () => undefined;
    await end(connector, [id]);
  });

  test('a project that is full says quota; a host that is full shows in the machine', async () => {
    const small = connect({ cloud: 'small' });
    const machines = await small.launch(request({ count: 2 }), context);
    expect(await failureOf(small.launch(request(), context))).toMatchObject({
      code: 'quota',
      message: expect.stringContaining('Quota exceeded') as string,
    });
    await end(
      small,
      machines.map(({ id }) => id),
    );
    await small.close?.();
    const huge = connect({ flavors: ['m1.enormous'] });
    const [first, second] = await huge.launch(request({ count: 2 }), context);
    const ids = [first?.id ?? '', second?.id ?? ''];
    const states = await vi.waitFor(async () => {
      const found = [...(await huge.describe(ids, context)).values()];
      if (found.some(({ state }) => state === 'pending')) throw new Error('not yet');
      return found;
    }, patience);
    expect(states.find(({ state }) => state === 'error')).toMatchObject({
      fault: expect.stringContaining('No valid host') as string,
      noRoom: true,
    });
    await end(huge, ids);
    await huge.close?.();
  });

  test('says what may be had, and at which price where that is known', async () => {
    const priced = connect({ prices: { 'm1.small': 0.02 }, flavors: ['m1.small', 'm1.large'] });
    const quota = await priced.quota?.(context);
    expect(quota).toMatchObject({ machines: { max: 300 }, cpus: { max: 1200 } });
    expect(await priced.offers?.(context)).toEqual([
      { name: 'm1.small', cpus: 1, memoryMiB: 2048, diskGiB: 20, price: { amount: 0.02, currency: 'EUR' } },
      { name: 'm1.large', cpus: 4, memoryMiB: 8192, diskGiB: 80, price: null },
    ]);
    await priced.close?.();
  });

  test('a token that has been revoked is replaced, once', async () => {
    await connector.probe(context);
    const answer = { status: 401, body: '{"error":{"code":401,"message":"The request you have made requires authentication."}}' };
    let refused = 0;
    proxy.fault = ({ path }) => (path.endsWith('/limits') && refused++ === 0 ? { answer } : undefined);
    expect(await connector.probe(context)).toEqual({ account: 'paceline', regions: ['RegionOne'] });
    expect(await connector.account?.(context)).toMatch(/^openstack project [0-9a-f]{32} in RegionOne$/);
    proxy.seen.length = 0;
    proxy.fault = ({ path }) => (path.endsWith('/limits') ? { answer } : undefined);
    expect((await failureOf(connector.probe(context))).code).toBe('auth');
    expect(proxy.seen.filter(({ path }) => path.endsWith('/auth/tokens'))).toHaveLength(1);
  });
});
