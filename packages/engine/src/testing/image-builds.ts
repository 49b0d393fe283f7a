import { imageDeployment, type Layer, type ResolvedDeployment } from '@paceline/model';
import { vi } from 'vitest';
import { ConnectorError, type Resource } from '../connector/index.ts';
import type { Engine } from '../engine/engine.ts';
import type { FakeCloud } from './fake-cloud.ts';
import { imageOf } from './plans.ts';
import { instanceIn, joinFromUserData, type TestAgent, type World } from './test-engine.ts';

export const layerOf = (module: string): Layer => ({
  module,
  packages: [],
  scripts: {
    postInstall: { path: 'install.sh', text: `#!/bin/sh\n# installs ${module}\n` },
    deploy: { path: 'deploy.sh', text: '#!/bin/sh\n' },
  },
});

/** A module that is built, and one that stands on it. */
export const base: ResolvedDeployment = imageDeployment({ ...imageOf(), layers: [layerOf('base')], module: 'base' }, []);
export const app: ResolvedDeployment = imageDeployment({ ...imageOf(), layers: [layerOf('base'), layerOf('app')], module: 'app' }, []);

/** The machine of a run joins and does what it is told, until the run has got somewhere. @returns the steps that it was told, by state */
export async function work(world: World, engine: Engine, run: string, state: string): Promise<Record<string, string[]>> {
  const steps: Record<string, string[]> = {};
  const machine = await vi.waitFor(() => {
    const found = [...world.cloud.machines.values()].find(({ owner }) => owner.run === run);
    if (found === undefined) throw new Error('no machine yet');
    return found;
  });
  const agent: TestAgent = (await joinFromUserData(engine, machine.userData, `key of ${run} ${instanceIn(machine.userData)}`)).connect();
  await vi.waitFor(async () => {
    const now = await engine.runDetail(run);
    for (const { event, data } of agent.events) {
      if (event === 'assignment' || event === 'hello') {
        const assignment = event === 'hello' ? data.assignment : data;
        if (assignment.steps.length > 0) steps[assignment.state] = assignment.steps.map(({ id }) => id);
      }
    }
    if (now.state === state) return;
    const { seq } = (await engine.activeRun(run)).run.facts;
    await agent.say({ op: 'complete', seq }).catch(() => {});
    throw new Error(`the run is ${(await engine.runDetail(run)).state}`);
  }, 5000);
  return steps;
}

/** @returns the run that builds it */
export async function begin(engine: Engine, deployment: ResolvedDeployment): Promise<string> {
  const answer = await engine.images.build({ deployment }, 'tester');
  if ('image' in answer) throw new Error('it is built already');
  return answer.run.id;
}

/** The images of a cloud that calls each by an id of its own, new for each that is made, as EC2 and OpenStack do. */
export class FakeImages {
  readonly #there = new Map<string, Resource>();
  #next = 1;
  /** What making one waits for, once it is there. */
  whole: () => Promise<void> = async () => {};

  constructor(cloud: FakeCloud) {
    const { connector } = cloud;
    connector.createImage = async (machine, name, { signal }) => {
      if ([...this.#there.values()].some((image) => image.name === name)) throw new ConnectorError('conflict', 'there is one already');
      const owner = cloud.machines.get(machine)?.owner;
      if (owner === undefined) throw new ConnectorError('notFound', `there is no machine ${machine}`);
      const id = `ami-${this.#next++}`;
      this.#there.set(id, { kind: 'image', id, name, owner });
      await Promise.race([this.whole(), new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))]);
      return { image: id, id };
    };
    const list = connector.list.bind(connector);
    connector.list = async function* (this: FakeImages, query: Parameters<typeof list>[0], context: Parameters<typeof list>[1]) {
      yield* list(query, context);
      for (const image of this.#there.values()) if (query.run === undefined || query.run === image.owner.run) yield image;
    }.bind(this);
    connector.remove = async ({ id }) => void this.#there.delete(id);
  }

  get ids(): string[] {
    return [...this.#there.keys()];
  }
}
