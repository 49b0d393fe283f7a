import { expect, test } from 'vitest';
import { Bench, runId, type Commit } from '../testing/bench.ts';

type Owner = Parameters<Bench['checks']['machines']['launching']>[2]['owner'];

const owner: Owner = { engine: 'engine', run: runId, node: 'server' };
const launch = { owner, token: 'token', machines: [{ index: 1, name: 'server.1', userData: new Uint8Array() }] };
const intended: Commit = { instances: { 'server.1': { machine: { status: 'intended' } } } };
const launched = (id = 'm-server.1'): Commit => ({
  instances: { 'server.1': { machine: { status: 'launched', id } } },
  parameters: { 'server.1:instanceid': id },
});

function asks(bench: Bench, by = bench.engine): void {
  bench.checks.machines.launching(by, bench.cloud, { ...launch, image: '', ports: [], expiresAt: new Date(0) });
}

test('no machine without a stored intent', () => {
  const right = new Bench();
  right.commit(intended);
  asks(right);
  expect(right.broken).toBeUndefined();
  const wrong = new Bench();
  asks(wrong);
  expect(wrong.broken).toBe('no machine without a stored intent');
});

test('two replicas never act for one run', () => {
  const bench = new Bench();
  bench.commit(intended);
  asks(bench, bench.other);
  expect(bench.broken).toBe('two replicas never act for one run');
});

test('nobody goes on with a launch when the run is another’s', async () => {
  const bench = new Bench();
  bench.commit(intended);
  await bench.until(1000);
  bench.checks.machines.goingOn(bench.engine, launch);
  expect(bench.broken).toBeUndefined();
  bench.checks.machines.goingOn(bench.other, launch);
  expect(bench.broken).toBe('two replicas never act for one run');
});

test('nothing is launched for a run that ends', () => {
  const bench = new Bench({ outcome: 'Cancelled' });
  bench.commit(intended);
  asks(bench);
  expect(bench.broken).toBe('nothing is launched for a run that ends');
});

test('nothing is launched again without a look', async () => {
  const bench = new Bench();
  bench.commit(intended);
  bench.machine('server.1');
  bench.checks.machines.listed(bench.engine, { engine: 'engine', token: 'token' }, 0);
  await bench.until(10);
  asks(bench);
  expect(bench.broken).toBe('nothing is launched again without a look');
});

test('a look at all of a run is a look', async () => {
  const bench = new Bench();
  bench.commit(intended);
  bench.checks.machines.listed(bench.engine, { engine: 'engine' }, 0);
  await bench.until(10);
  Object.assign(bench.machine('server.1'), { visibleAt: 5 });
  asks(bench);
  expect(bench.broken).toBeUndefined();
});

test('a look comes when a cloud shows everything', async () => {
  for (const madeLate of [false, true]) {
    const bench = new Bench();
    bench.commit(intended);
    if (madeLate) bench.checks.machines.answered(bench.engine, launch);
    const machine = bench.machine('server.1');
    await bench.until(10);
    if (!madeLate) bench.checks.machines.answered(bench.engine, launch);
    bench.checks.machines.listed(bench.engine, { engine: 'engine', token: 'token' }, 0);
    Object.assign(machine, { visibleAt: 5000 });
    asks(bench);
    expect(bench.broken).toBe(madeLate ? undefined : 'a look comes when a cloud shows everything');
  }
});

test('a run has its machines in one account of a cloud', () => {
  const bench = new Bench();
  expect(bench.checks.machines.haveAccounts('test')).toBe(false);
  expect(bench.checks.machines.haveAccounts('elsewhere')).toBe(true);
  bench.commit({ facts: { accounts: { test: 'one' } } });
  expect(bench.checks.machines.haveAccounts('test')).toBe(true);
  bench.checks.machines.launchingElsewhere(bench.cloud, launch);
  expect(bench.broken).toBe('a run has its machines in one account of a cloud');
});

test('nobody ends a machine that is needed', () => {
  for (const dropped of [true, false]) {
    const bench = new Bench();
    bench.machine('server.1');
    bench.commit(launched());
    if (dropped) bench.commit({ instances: { 'server.1': { dropped } }, facts: { outcome: 'Aborted' } });
    bench.checks.machines.terminating(bench.engine, bench.cloud, ['m-server.1']);
    if (!dropped) expect(bench.broken).toBe('nobody ends a machine that is needed');
    else expect(bench.broken).not.toBe('nobody ends a machine that is needed');
  }
});

test.each([
  ['running', 'lost', 'a machine is called lost only when it is'],
  ['terminated', 'lost', undefined],
] as const)('a machine that is %s is called %s', (state, cloudState, invariant) => {
  const bench = new Bench();
  bench.machine('server.1', state);
  bench.commit(launched());
  bench.commit({ instances: { 'server.1': { machine: { cloudState } } } });
  expect(bench.broken).toBe(invariant);
});

test.each([
  ['running', 'a machine is called gone only when it is'],
  ['terminated', undefined],
] as const)('a machine that is %s is called gone', (state, invariant) => {
  const bench = new Bench();
  bench.machine('server.1', state);
  bench.commit(launched());
  bench.commit({ instances: { 'server.1': { machine: { status: 'gone' } } } });
  expect(bench.broken).toBe(invariant);
});

test('the ledger goes one way', () => {
  const bench = new Bench();
  bench.commit(intended);
  bench.commit({ instances: { 'server.1': { machine: { status: 'wanted' } } } });
  expect(bench.broken).toBe('the ledger goes one way');
});

test('parameters say what machine it is', () => {
  const bench = new Bench();
  bench.machine('server.1');
  bench.commit({ ...launched(), parameters: { 'server.1:instanceid': 'm-client.1' } });
  expect(bench.broken).toBe('parameters say what machine it is');
});

test.each([true, false])('a machine that dies is noticed: %s', async (noticed) => {
  const bench = new Bench();
  bench.join();
  bench.checks.machines.keyed('m-server.1', 'key of server.1');
  const machine = bench.cloud.machines.get('m-server.1');
  if (machine === undefined) return expect.unreachable();
  machine.state = 'stopped';
  bench.checks.machines.died(machine);
  if (noticed) bench.commit({ instances: { 'server.1': { machine: { cloudState: 'lost' } } } });
  await bench.until(300_000);
  expect(bench.broken).toBe(noticed ? undefined : 'a machine that dies is noticed');
});

test.each([true, false])('the machine of a dropped instance is ended: %s', async (ended) => {
  const bench = new Bench();
  bench.join();
  bench.commit({ instances: { 'client.1': { dropped: true } } });
  const machine = bench.cloud.machines.get('m-client.1');
  if (machine !== undefined && ended) machine.state = 'stopping';
  await bench.until(600_000);
  expect(bench.broken).toBe(ended ? undefined : 'the machine of a dropped instance is ended');
});

test('a run ends when its machines have', async () => {
  const bench = new Bench({ state: 'Ready', seq: 5 });
  bench.machine('client.2');
  await bench.until(1000);
  bench.enter('Finalizing', { facts: { outcome: 'Done' } });
  for (const name of ['server.1', 'client.1', 'client.2']) bench.commit({ instances: { [name]: { machine: { status: 'gone' } } } });
  bench.enter('Done', { facts: { endedAt: bench.kernel.now } });
  expect(bench.broken).toBe('a run ends when its machines have');
});

test('no machine is left, and no disk', () => {
  const bench = new Bench();
  const machine = bench.machine('server.1', 'terminated');
  bench.checks.machines.finish([bench.cloud]);
  expect(bench.broken).toBeUndefined();
  bench.cloud.disks.set('disk', { id: 'disk', machine });
  bench.checks.machines.finish([bench.cloud]);
  expect(bench.broken).toBe('no disk is left');

  const other = new Bench();
  other.machine('server.1', 'running');
  other.checks.machines.finish([other.cloud]);
  expect(other.broken).toBe('no machine is left');
});
