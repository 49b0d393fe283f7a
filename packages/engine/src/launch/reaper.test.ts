import { describe, expect, it, vi } from 'vitest';
import { ConnectorError, type Resource } from '../connector/index.ts';
import { TestRun } from '../testing/runs.ts';
import { clientServerPlan } from '../testing/plans.ts';
import { bringUp, newWorld } from '../testing/test-engine.ts';
import { engineId } from '../bootstrap/secrets.ts';
import { systemClock } from '../clock.ts';
import { Clouds } from './clouds.ts';
import { Reaper, reasonToGo, whyNoImage } from './reaper.ts';

const hour = 3_600_000;

describe('what is to go', () => {
  const test = new TestRun(clientServerPlan());
  test.provision();
  const ended = new TestRun(clientServerPlan());
  ended.apply([{ kind: 'run', patch: { state: 'Done', endedAt: 1 } }]);
  const of = (id: string, over: Partial<Resource> = {}): Resource => ({
    kind: 'machine',
    id,
    name: id,
    owner: { engine: 'e', run: test.run.id, node: 'apache' },
    machine: { id, index: 1, name: id, state: 'running', publicIps: [], privateIps: [], createdAt: new Date(0) },
    ...over,
  });
  const { machine } = of('m-new');

  it.each([
    ['the machine of a run', of('m-apache.1'), test.run, undefined],
    ['a machine of a run that has ended', of('m-apache.1'), ended.run, 'its run has ended: Done'],
    ['a machine of no run', of('m-apache.1'), undefined, /^there is no run/],
    ['a machine that no ledger knows', of('m-other'), test.run, /^it is no machine of run/],
    [
      'one that may still get into the ledger',
      of('m-new', { machine: { ...machine!, createdAt: new Date(hour - 60_000) } }),
      test.run,
      undefined,
    ],
    ['one whose time was over long ago', of('m-apache.1', { expiresAt: new Date(0) }), test.run, /^its time was over at 1970/],
    ['one that is gone already', of('m-x', { machine: { ...machine!, state: 'terminated' } }), undefined, undefined],
    ['a disk of a run that has ended', of('d', { kind: 'disk', machine: undefined! }), ended.run, 'its run has ended: Done'],
    ['a disk of a run', of('d', { kind: 'disk', machine: undefined! }), test.run, undefined],
  ])('%s', (_what, resource, run, expected) => {
    const reason = reasonToGo(resource, run, hour);
    if (expected instanceof RegExp) expect(reason).toMatch(expected);
    else expect(reason).toBe(expected);
  });

  it('an image goes when the run that made it has ended and the store does not know it', () => {
    const image = of('i', { kind: 'image' });
    expect(whyNoImage(image, ended.run, new Set())).toBe('its run has ended, Done, and no module stands on it');
    expect(whyNoImage(image, ended.run, new Set(['i']))).toBeUndefined();
    expect(whyNoImage(image, test.run, new Set())).toBeUndefined();
    expect(whyNoImage(image, undefined, new Set())).toBeUndefined();
  });
});

describe('reaping', () => {
  it('shows first, removes when told to, and touches nothing that is in use', async () => {
    const world = newWorld();
    const { engine } = await bringUp(world);
    const [machine] = world.cloud.machines.values();
    const owner = { engine: machine?.owner.engine ?? '', run: 'b1b2c3d4-0000-4000-8000-000000000000', node: 'apache' };
    if (machine !== undefined) world.cloud.machines.set('i-orphan', { ...machine, id: 'i-orphan', owner });
    if (machine !== undefined)
      world.cloud.machines.set('i-foreign', { ...machine, id: 'i-foreign', owner: { ...owner, engine: 'another' } });
    const shown = await engine.reap(false);
    expect(shown.orphans.map(({ cloud, resource }) => [cloud, resource.id])).toEqual([['test', 'i-orphan']]);
    expect(shown.seen).toBe(4);
    expect(world.cloud.machines.size).toBe(5);
    expect(shown.orphans[0]?.outcome).toBe('found');
    expect((await engine.reap(true)).orphans.map(({ outcome }) => outcome)).toEqual(['removed']);
    expect([...world.cloud.machines.keys()].sort()).toEqual(['i-1', 'i-2', 'i-3', 'i-foreign']);
    expect((await engine.reap(true)).orphans).toEqual([]);
  });

  it('removes only what belongs to the runs that are named', async () => {
    const world = newWorld();
    const { engine } = await bringUp(world);
    const [machine] = world.cloud.machines.values();
    const orphanOf = (run: string): void => {
      if (machine === undefined) throw new Error('there is no machine');
      world.cloud.machines.set(`i-${run}`, { ...machine, id: `i-${run}`, owner: { ...machine.owner, run } });
    };
    orphanOf('one');
    orphanOf('other');
    const { orphans, seen } = await engine.reap(true, ['one']);
    expect(orphans.map(({ resource }) => resource.id)).toEqual(['i-one']);
    expect(seen).toBe(1);
    expect([...world.cloud.machines.keys()]).toEqual(['i-1', 'i-2', 'i-3', 'i-other']);
  });

  it('removes nothing of engines with the same tag without being told which runs', async () => {
    const ports = {
      shared: true,
      clouds: new Clouds([]),
      engineId: 'e',
      store: { run: async () => undefined, accounts: async () => [], images: { resources: async () => new Set<string>() } },
      log: { info() {}, warn() {} },
    };
    const reaper = new Reaper({ ...ports, clock: systemClock, signal: () => new AbortController().signal });
    await expect(reaper.reap(true)).rejects.toMatchObject({ code: 'PACELINE_REQUEST_INVALID' });
    expect(await reaper.reap(true, ['one'])).toEqual({ orphans: [], accounts: [], failures: [], seen: 0 });
    expect(engineId(Buffer.alloc(32, 1), 'github-1')).toBe(engineId(Buffer.alloc(32, 2), 'github-1'));
    expect(engineId(Buffer.alloc(32, 1))).not.toBe(engineId(Buffer.alloc(32, 2)));
  });

  it('removes all kinds of things, and goes on when one of them is still held', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const { connector, machines } = world.cloud;
    const [machine] = machines.values();
    const owner = { engine: machine?.owner.engine ?? '', run: 'gone' };
    const kinds = ['disk', 'group', 'address', 'network', 'key'] as const;
    const left = new Map(kinds.map((kind) => [`${kind}-1`, { kind, id: `${kind}-1`, name: kind, owner }]));
    connector.list = async function* () {
      yield* left.values();
      // What belongs to a run that goes on stays.
      yield { kind: 'group', id: 'group-of-run', name: 'group', owner: { ...owner, run: id } };
    };
    let isHeld = true;
    connector.remove = async (resource) => {
      if (resource.kind === 'group' && isHeld) throw new ConnectorError('conflict', 'it is in use');
      left.delete(resource.id);
    };
    expect((await engine.reap(true)).failures).toEqual([{ cloud: 'test', message: 'group group-1 is still there: it is in use' }]);
    expect([...left.keys()]).toEqual(['group-1']);
    isHeld = false;
    expect((await engine.reap(true)).failures).toEqual([]);
    expect(left.size).toBe(0);
  });

  it('ends the other machines when one cannot be ended, and says which one', async () => {
    const world = newWorld();
    const { engine } = await bringUp(world);
    const { machines, connector } = world.cloud;
    const [machine] = machines.values();
    if (machine === undefined) throw new Error('there is no machine');
    const inUse = [...machines.keys()];
    for (const id of ['i-a', 'i-locked', 'i-b']) machines.set(id, { ...machine, id, owner: { ...machine.owner, run: 'forgotten' } });
    const terminate = connector.terminate.bind(connector);
    connector.terminate = async (ids, context) => {
      if (ids.includes('i-locked')) throw new ConnectorError('forbidden', 'it is protected');
      return terminate(ids, context);
    };
    const { orphans, failures } = await engine.reap(true);
    expect(failures).toEqual([{ cloud: 'test', message: 'machine i-locked is still there: it is protected' }]);
    expect(orphans.map(({ resource, outcome }) => [resource.id, outcome])).toEqual([
      ['i-a', 'removed'],
      ['i-locked', 'kept'],
      ['i-b', 'removed'],
    ]);
    expect([...machines.keys()]).toEqual([...inUse, 'i-locked']);
  });

  it('tells what is gone from what is still going', async () => {
    const world = newWorld();
    const { engine } = await bringUp(world);
    const { machines, connector } = world.cloud;
    const [machine] = machines.values();
    if (machine === undefined) throw new Error('there is no machine');
    machines.set('i-slow', { ...machine, id: 'i-slow', owner: { ...machine.owner, run: 'forgotten' } });
    connector.terminate = async (ids) => ids.map((id) => ({ id, gone: false }));
    expect((await engine.reap(true)).orphans).toMatchObject([{ resource: { id: 'i-slow' }, outcome: 'ending' }]);
  });

  it('says of which clouds it could not see everything', async () => {
    const world = newWorld();
    const { engine } = await bringUp(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(3));
    world.cloud.faults.push({ method: 'list', when: 'before', error: new ConnectorError('auth', 'who are you?') });
    expect((await engine.reap(true)).failures).toEqual([{ cloud: 'test', message: 'who are you?' }]);
  });
});
