import { imageDeployment, type ResolvedDeployment } from '@paceline/model';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectorError, type Connector } from '../connector/index.ts';
import type { Engine } from '../engine/engine.ts';
import { app, base, begin, layerOf, work as workOn } from '../testing/image-builds.ts';
import { imageOf } from '../testing/plans.ts';
import { freeze, newWorld, openEngine, type World } from '../testing/test-engine.ts';

let world: World;
/** What was asked of the cloud for images, and the names of those it has. */
let made: string[];
/** What was launched, where the cloud says what its names mean. */
let booted: string[];
beforeEach(() => {
  world = newWorld();
  made = [];
  booted = [];
  const { connector } = world.cloud;
  connector.createImage = async (_id, name) => {
    if (made.includes(name)) throw new ConnectorError('conflict', 'there is one already');
    made.push(name);
    return { image: name, id: `id of ${name}` };
  };
  const list = connector.list.bind(connector);
  connector.list = async function* (query, context) {
    yield* list(query, context);
    for (const name of made) yield { kind: 'image', id: `id of ${name}`, name, owner: { engine: query.engine, run: query.run ?? '' } };
  };
  connector.remove = async ({ id }) => void (made = made.filter((name) => `id of ${name}` !== id));
});

const work = (engine: Engine, run: string, state: string) => workOn(world, engine, run, state);

async function build(engine: Engine, deployment: ResolvedDeployment): Promise<{ run: string; steps: Record<string, string[]> }> {
  const run = await begin(engine, deployment);
  return { run, steps: await work(engine, run, 'Done') };
}

/** Notes from now on which methods are called. */
function watch(connector: Connector, asked: string[]): void {
  for (const [name, method] of Object.entries(connector))
    if (typeof method === 'function')
      Object.assign(connector, {
        [name]: (...args: unknown[]): unknown => {
          asked.push(name);
          return Reflect.apply(method, connector, args);
        },
      });
}

/** From now on the cloud says what its names mean: those of `names`, and the images that it has made. */
function resolves(names: Record<string, string>): void {
  world.cloud.connector.resolveImage = async (name) => {
    const found = names[name] ?? made.find((one) => one === name);
    if (found === undefined) throw new ConnectorError('notFound', `there is no image ${name}`);
    return found;
  };
  const launch = world.cloud.connector.launch.bind(world.cloud.connector);
  world.cloud.connector.launch = async (request, context) => {
    await world.cloud.connector.resolveImage?.(request.image, context);
    booted.push(request.image);
    return launch(request, context);
  };
}

describe('the image factory', () => {
  it('installs, cleans, makes one image, ends the machine, and starts nothing for what is built', async () => {
    const engine = await openEngine(world);
    const { run, steps } = await build(engine, base);
    expect(steps).toEqual({ Executing: ['postInstall-0'], SendingReports: ['report-upload', 'hygiene'] });
    expect(made).toHaveLength(1);
    expect(world.cloud.machines.size).toBe(0);
    const asked: string[] = [];
    watch(world.cloud.connector, asked);
    expect(await engine.images.build({ deployment: base }, 'tester')).toMatchObject({ image: { image: made[0], run, module: 'base' } });
    expect(asked).toEqual([]);
    await engine.close();
  });

  it('builds a child on its built parent, and runs boot the newest ancestor', async () => {
    const engine = await openEngine(world);
    const images: string[] = [];
    const launch = world.cloud.connector.launch.bind(world.cloud.connector);
    world.cloud.connector.launch = (request, context) => {
      images.push(request.image);
      return launch(request, context);
    };
    await build(engine, base);
    expect((await build(engine, app)).steps['Executing']).toEqual(['postInstall-1']);
    const { run } = await engine.createRun({ deployment: app, keepRunning: 'always' }, 'tester');
    expect((await work(engine, run.id, 'Ready'))['Executing']).toEqual(['deploy-0', 'deploy-1']);
    expect(images).toEqual(['', made[0], made[1]]);
    await engine.close();
  });

  it('makes the image anew whose answer was lost, also after the engine was killed: it may not be whole', async () => {
    const create = world.cloud.connector.createImage?.bind(world.cloud.connector);
    let lost = 1;
    let calls = 0;
    world.cloud.connector.createImage = async (id, name, context) => {
      const image = await create?.(id, name, context);
      calls += 1;
      if (lost-- > 0 || image === undefined) return new Promise<never>(() => {});
      return image;
    };
    const first = await openEngine(world);
    const run = await begin(first, base);
    await work(first, run, 'Ready');
    await vi.waitFor(() => expect(made).toHaveLength(1));
    freeze(first, 'dead');
    const second = await openEngine(world);
    await vi.waitFor(async () => {
      world.clock.pass(3000);
      expect((await second.runDetail(run)).state).toBe('Done');
    }, 5000);
    expect([made.length, calls]).toEqual([1, 2]);
    expect(await second.images.list()).toMatchObject([{ image: made[0], resource: `id of ${made[0]}`, run }]);
    await second.close();
  });

  it('aborts when the cloud cannot make the image, and takes the machine down', async () => {
    world.cloud.connector.createImage = async () => {
      throw new ConnectorError('quota', 'no room');
    };
    const engine = await openEngine(world);
    const run = await begin(engine, base);
    await work(engine, run, 'Aborted');
    expect((await engine.runDetail(run)).abort?.reason).toContain('no room');
    expect([world.cloud.machines.size, await engine.images.list()]).toEqual([0, []]);
    await engine.close();
  });

  it('deletes what is not pinned, with its snapshot, and keeps what the cloud keeps', async () => {
    const engine = await openEngine(world);
    await build(engine, base);
    const [image = ''] = made;
    await engine.images.pin(await engine.images.find(image), true);
    await expect(engine.images.remove(await engine.images.find(image))).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
    await engine.images.pin(await engine.images.find(image), false);
    const remove = world.cloud.connector.remove?.bind(world.cloud.connector);
    world.cloud.connector.remove = async () => {
      throw new ConnectorError('conflict', 'a machine stands on it');
    };
    await expect(engine.images.remove(await engine.images.find(image))).rejects.toMatchObject({ code: 'PACELINE_CLOUD_FAILED' });
    expect(await engine.images.list()).toHaveLength(1);
    if (remove !== undefined) world.cloud.connector.remove = remove;
    await engine.images.remove(await engine.images.find(image));
    expect([made, await engine.images.list()]).toEqual([[], []]);
    await engine.close();
  });

  it('builds the same once, also when several ask at the same moment: the others are told the run that builds it', async () => {
    const engine = await openEngine(world);
    const answers = await Promise.all(Array.from({ length: 5 }, () => engine.images.build({ deployment: base }, 'tester')));
    const runs = answers.flatMap((answer) => ('run' in answer ? [answer] : []));
    const [run = ''] = runs.map(({ run: { id } }) => id);
    expect(new Set(runs.map(({ run: { id } }) => id))).toEqual(new Set([run]));
    expect(runs.filter(({ joined }) => !joined)).toHaveLength(1);
    expect(runs).toHaveLength(5);
    const other = await begin(engine, app);
    expect(other).not.toBe(run);
    await Promise.all([work(engine, run, 'Done'), work(engine, other, 'Done')]);
    expect(made).toHaveLength(2);
    await engine.close();
  });

  it('begins again when the run that built it has ended without an image', async () => {
    const first = await openEngine(world);
    const run = await begin(first, base);
    freeze(first, 'dead');
    const engine = await openEngine(world);
    expect(await engine.images.build({ deployment: base }, 'tester')).toMatchObject({ run: { id: run }, joined: true });
    await engine.terminate(run, 'tester');
    await vi.waitFor(async () => expect((await engine.runDetail(run)).state).toBe('Cancelled'), 5000);
    const again = await engine.images.build({ deployment: base }, 'tester');
    expect(again).toMatchObject({ joined: false });
    await engine.close();
  });

  it('promotes the published version that an image was built of, and keeps the image for it', async () => {
    const engine = await openEngine(world);
    const { modules } = engine.store;
    const publish = (name: string, deployment: ResolvedDeployment) =>
      modules.publish({ name, deployment, author: 'ann', comment: '', commit: '' }, 1);
    await build(engine, base);
    const [image = ''] = made;
    await expect(engine.images.promote(await engine.images.find(image), 'stable')).rejects.toThrow('is of no published module');
    await publish('shop/base', base);
    await publish('shop/app', app);
    expect(await engine.images.promote(await engine.images.find(image), 'stable')).toMatchObject({
      name: 'shop/base',
      version: 1,
      channels: ['stable'],
    });
    await modules.promote({ name: 'shop/app', version: 1 }, 'beta');
    expect(await engine.images.list()).toMatchObject([{ channels: ['shop/app@beta', 'shop/base@stable'] }]);
    await expect(engine.images.remove(await engine.images.find(image))).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
    // From now on machines of the application boot an image of their own.
    await build(engine, app);
    expect(await engine.images.list()).toMatchObject([{ channels: ['shop/app@beta'] }, { image, channels: ['shop/base@stable'] }]);
    await publish('shop/twin', base);
    await expect(engine.images.promote(await engine.images.find(image), 'stable')).rejects.toThrow('shop/base@1, shop/twin@1');
    await modules.demote('shop/base', 'stable');
    await engine.images.remove(await engine.images.find(image));
    await engine.close();
  });

  it('keeps an image until the runs that boot it have ended, as these may add machines', async () => {
    const engine = await openEngine(world);
    await build(engine, base);
    const [image = ''] = made;
    const { run } = await engine.createRun({ deployment: app, keepRunning: 'always' }, 'tester');
    expect(await engine.images.list()).toMatchObject([{ runs: [{ id: run.id, project: 'default' }] }]);
    await expect(engine.images.remove(await engine.images.find(image))).rejects.toThrow(`is booted by ${run.id.slice(0, 8)}`);
    expect(made).toEqual([image]);
    await engine.terminate(run.id, 'tester');
    await vi.waitFor(async () => expect(await engine.images.list()).toMatchObject([{ runs: [] }]), 5000);
    await engine.images.remove(await engine.images.find(image));
    expect(made).toEqual([]);
    await engine.close();
  });

  it('is not booted by a run that was planned with it and is stored when it is deleted: that installs what it had', async () => {
    const engine = await openEngine(world);
    await build(engine, base);
    const insert = engine.store.insertRun.bind(engine.store);
    vi.spyOn(engine.store, 'insertRun').mockImplementationOnce(async (run, owner) => {
      expect(run.plan.nodes['machine']?.built?.image).toBe(made[0]);
      await engine.images.remove(await engine.images.find(made[0] ?? ''));
      return insert(run, owner);
    });
    const { run } = await engine.createRun({ deployment: app, keepRunning: 'always' }, 'tester');
    expect((await work(engine, run.id, 'Ready'))['Executing']).toEqual(['postInstall-0', 'postInstall-1', 'deploy-0', 'deploy-1']);
    expect((await engine.run(run.id)).plan.nodes['machine']?.built).toBeUndefined();
    await engine.close();
  });

  it('is out of reach for whoever has a role in a project only', async () => {
    const engine = await openEngine(world);
    const answer = await engine.images.build({ deployment: base }, 'tester');
    expect(answer).toMatchObject({ run: { project: '*', createdBy: 'tester' }, joined: false });
    await engine.close();
  });

  it('builds for a project what only its machines boot, beside what is everybody’s', async () => {
    const engine = await openEngine(world);
    const answer = await engine.images.build({ deployment: base, project: 'shop' }, 'tester');
    const run = 'run' in answer ? answer.run.id : '';
    expect((await engine.runDetail(run)).project).toBe('shop');
    await work(engine, run, 'Done');
    const [image = ''] = made;
    const bootedIn = async (project: string): Promise<string | undefined> => {
      const { run: started } = await engine.createRun({ deployment: app, project }, 'tester');
      const { built } = (await engine.run(started.id)).plan.nodes['machine'] ?? {};
      await engine.terminate(started.id, 'tester');
      return built?.image;
    };
    expect([await bootedIn('shop'), await bootedIn('lab')]).toEqual([image, undefined]);
    expect(await engine.images.build({ deployment: base, project: 'shop' }, 'tester')).toMatchObject({ image: { image } });
    await build(engine, base);
    expect([await bootedIn('shop'), await bootedIn('lab')]).toEqual([made[1], made[1]]);
    await engine.close();
  });

  it('asks for no parameter, as what is installed depends on none', async () => {
    const engine = await openEngine(world);
    const image = {
      ...imageOf(),
      layers: [layerOf('base')],
      module: 'base',
      parameters: { who: { type: 'string' as const, required: true } },
    };
    const deployment = imageDeployment(image, []);
    await build(engine, deployment);
    expect(made).toHaveLength(1);
    expect(await engine.images.build({ deployment }, 'tester')).toMatchObject({ image: { image: made[0] } });
    await expect(engine.createRun({ deployment }, 'tester')).rejects.toThrow('who');
    await engine.close();
  });

  it('is built anew when another image stands for none at the cloud, and not when the module names that', async () => {
    const { connector } = world.cloud;
    const usual = (image: string): void => void Object.assign(connector, { info: { ...connector.info, image } });
    usual('debian-12');
    const engine = await openEngine(world);
    await build(engine, base);
    usual('debian-13');
    const { run } = await engine.createRun({ deployment: app }, 'tester');
    expect((await engine.run(run.id)).plan.nodes['machine']?.built).toBeUndefined();
    await engine.terminate(run.id, 'tester');
    await build(engine, base);
    expect(made).toHaveLength(2);
    const named = imageDeployment(
      { ...imageOf(), layers: [layerOf('base')], module: 'base', clouds: { test: { image: 'debian-12' } } },
      [],
    );
    expect(await engine.images.build({ deployment: named }, 'tester')).toMatchObject({ image: { image: made[0] } });
    await engine.close();
  });

  it('is built anew when the name of its native image means another one, with all that stands on it; runs boot the newest', async () => {
    const names = { '': 'debian of May' };
    resolves(names);
    const engine = await openEngine(world);
    await build(engine, base);
    await build(engine, app);
    const asked: string[] = [];
    watch(world.cloud.connector, asked);
    expect(await engine.images.build({ deployment: app }, 'tester')).toMatchObject({ image: { image: made[1] } });
    expect(new Set(asked)).toEqual(new Set(['resolveImage']));

    names[''] = 'debian of June';
    const { run } = await engine.createRun({ deployment: app, keepRunning: 'always' }, 'tester');
    expect((await work(engine, run.id, 'Ready'))['Executing']).toEqual(['deploy-0', 'deploy-1']);
    expect((await build(engine, app)).steps['Executing']).toEqual(['postInstall-0', 'postInstall-1']);
    expect((await build(engine, base)).steps['Executing']).toEqual(['postInstall-0']);
    expect(booted).toEqual(['', made[0], made[1], '', '']);
    const next = await engine.createRun({ deployment: app, keepRunning: 'always' }, 'tester');
    await work(engine, next.run.id, 'Ready');
    expect(booted.at(-1)).toBe(made[2]);
    await engine.close();
  });

  it('is installed from the nearest ancestor when its cloud does not have it any more, and then built anew', async () => {
    resolves({ '': '' });
    const engine = await openEngine(world);
    await build(engine, base);
    await build(engine, app);
    const [ofBase = '', ofApp = ''] = made;
    made = [ofBase];
    const start = async (): Promise<{ id: string; steps: string[] | undefined }> => {
      const { run } = await engine.createRun({ deployment: app, keepRunning: 'always' }, 'tester');
      return { id: run.id, steps: (await work(engine, run.id, 'Ready'))['Executing'] };
    };
    const first = await start();
    expect(first.steps).toEqual(['postInstall-1', 'deploy-0', 'deploy-1']);
    expect(booted.at(-1)).toBe(ofBase);
    const events = await engine.store.events(first.id, 0, 1000);
    expect(events.map(({ message }) => message)).toContain(
      `test does not have the image ${ofApp} any more, which was built: machine boots ${ofBase} and installs the rest`,
    );
    expect(await engine.images.list()).toMatchObject([
      { image: ofApp, lostAt: expect.any(Number), runs: [] },
      { image: ofBase, lostAt: null },
    ]);
    made = [];
    const last = await start();
    expect(last.steps).toEqual(['postInstall-0', 'postInstall-1', 'deploy-0', 'deploy-1']);
    expect(booted.at(-1)).toBe('');
    expect((await build(engine, app)).steps['Executing']).toEqual(['postInstall-0', 'postInstall-1']);
    expect(await engine.images.list()).toMatchObject([{ image: made[0], lostAt: null }, { image: ofBase }]);
    await engine.close();
  });

  it('is asked for before a build is said to be there', async () => {
    resolves({ '': '' });
    const engine = await openEngine(world);
    await build(engine, base);
    made = [];
    await build(engine, base);
    expect(made).toHaveLength(1);
    await engine.close();
  });

  it('is kept for what is not there of something else than the image', async () => {
    resolves({ '': '' });
    const engine = await openEngine(world);
    await build(engine, base);
    world.cloud.faults.push({ method: 'launch', when: 'before', error: new ConnectorError('notFound', 'there is no such network') });
    const { run } = await engine.createRun({ deployment: app }, 'tester');
    await vi.waitFor(async () => expect((await engine.runDetail(run.id)).abort?.reason).toContain('no such network'));
    expect(await engine.images.list()).toMatchObject([{ lostAt: null }]);
    await engine.close();
  });

  it('refuses what installs nothing, and clouds that cannot', async () => {
    const engine = await openEngine(world);
    await expect(engine.images.build({ deployment: imageDeployment(imageOf(), []) }, 'x')).rejects.toThrow('installs nothing');
    delete world.cloud.connector.createImage;
    await expect(engine.images.build({ deployment: base }, 'x')).rejects.toThrow('cannot make images');
    await engine.close();
  });
});
