import { ConnectorError, isConnectorError, type Machine, type MachineImage, type Resource } from '../connector/index.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { withinLimit, type CallFrame } from './call-limit.ts';
import type { Clouds } from './clouds.ts';
import { toConnectorError } from './connector-failure.ts';
import { removeResource } from './remove-resource.ts';
import { readLastWords } from './last-words.ts';
import { launchRequest, type LaunchFrame } from './launch-request.ts';

export interface CloudCallsPorts extends LaunchFrame, CallFrame {
  clouds: Clouds;
}

/** The calls to clouds, in terms of a run's instances. */
export class CloudCalls {
  readonly #run: Run;
  readonly #ports: CloudCallsPorts;

  constructor(run: Run, ports: CloudCallsPorts) {
    this.#run = run;
    this.#ports = ports;
  }

  /** How long the cloud may hide a new machine, in milliseconds. A cloud that is not configured any more hides nothing. */
  listConsistencyMs(cloud: string): number {
    return this.#ports.clouds.find(cloud)?.connector.capabilities.listConsistencyMs ?? 0;
  }

  /**
   * @param goesOn asked before each batch; what is left is not launched when it is no more
   * @param found is told of each batch as it comes; the next one waits for it
   */
  async launch(
    cloud: string,
    instances: readonly Instance[],
    goesOn: () => boolean,
    found: (batch: readonly Instance[], machines: readonly Machine[]) => Promise<void>,
  ): Promise<void> {
    const configured = this.#ports.clouds.get(cloud);
    const { connector } = configured;
    const { maxBatch, bringsNode } = connector.capabilities;
    const runtime = bringsNode === true ? undefined : await this.#ports.runtime?.();
    let missing = 0;
    for (let from = 0; from < instances.length && goesOn(); from += maxBatch) {
      const batch = instances.slice(from, from + maxBatch);
      const request = launchRequest(this.#run, batch, configured, this.#ports, runtime);
      const machines = await withinLimit(this.#ports, 'launch', (context) => connector.launch(request, context));
      await found(batch, machines);
      missing += batch.filter(({ index }) => !machines.some((machine) => machine.index === index)).length;
    }
    if (missing > 0) throw new ConnectorError('unavailable', 'the cloud did not return all machines that were asked for');
  }

  /** The machines that a launch has made, whoever heard of it. */
  async lookUp(cloud: string, token: string): Promise<Machine[]> {
    const { connector } = this.#ports.clouds.get(cloud);
    return withinLimit(this.#ports, 'list', async (context) => {
      const machines: Machine[] = [];
      for await (const { machine } of connector.list({ engine: this.#ports.engineId, run: this.#run.id, token }, context)) {
        if (machine !== undefined && machine.state !== 'terminated') machines.push(machine);
      }
      return machines;
    });
  }

  /** @returns those whose machine is gone */
  async terminate(cloud: string, instances: readonly Instance[]): Promise<Set<Instance>> {
    const { connector } = this.#ports.clouds.get(cloud);
    const byId = idsOf(instances);
    const results = await withinLimit(this.#ports, 'terminate', (context) => connector.terminate([...byId.keys()], context));
    return new Set(results.filter(({ gone }) => gone).flatMap(({ id }) => byId.get(id) ?? []));
  }

  /** Removes everything that carries the run's tags. @returns the ids of what was still there, and why it could not be removed */
  async sweep(cloud: string): Promise<{ found: string[]; failure: string | undefined }> {
    const { connector } = this.#ports.clouds.get(cloud);
    const left = await withinLimit(this.#ports, 'list', async (context) => {
      const resources: Resource[] = [];
      for await (const resource of connector.list({ engine: this.#ports.engineId, run: this.#run.id }, context)) {
        // An image that the run has built is there to stay.
        if (resource.kind !== 'image' && resource.machine?.state !== 'terminated') resources.push(resource);
      }
      return resources;
    });
    const machines = left.filter(({ kind }) => kind === 'machine').map(({ id }) => id);
    if (machines.length > 0) await withinLimit(this.#ports, 'terminate', (context) => connector.terminate(machines, context));
    let failure: string | undefined;
    for (const resource of left.filter(({ kind }) => kind !== 'machine')) {
      await removeResource(this.#ports, connector, resource).catch((cause: unknown) => {
        failure = toConnectorError(cause).message;
      });
    }
    return { found: left.map(({ id }) => id), failure };
  }

  /** Makes an image of a machine, or finds the one that an earlier call has made. */
  async createImage(cloud: string, { machine }: Instance, name: string): Promise<MachineImage> {
    const { connector } = this.#ports.clouds.get(cloud);
    const { id } = machine;
    if (connector.createImage === undefined || id === null) throw new ConnectorError('unsupported', `${cloud} cannot make images`);
    const create = connector.createImage.bind(connector);
    try {
      return await withinLimit(this.#ports, 'createImage', (context) => create(id, name, context));
    } catch (error) {
      if (!isConnectorError(error) || error.code !== 'conflict') throw error;
    }
    const query = { engine: this.#ports.engineId, run: this.#run.id };
    const found = await withinLimit(this.#ports, 'list', async (context) => {
      for await (const resource of connector.list(query, context)) if (resource.kind === 'image' && resource.name === name) return resource;
      return undefined;
    });
    if (found === undefined) throw new ConnectorError('conflict', `There is an image ${name} of somebody else`);
    return { image: name, id: found.id };
  }

  /** Gives a machine the size that is wanted. */
  async resize(cloud: string, { machine: { id, wantedSize } }: Instance): Promise<void> {
    const { connector } = this.#ports.clouds.get(cloud);
    if (connector.resize === undefined) throw new ConnectorError('unsupported', `${cloud} cannot resize machines`);
    if (id === null || wantedSize === null) return;
    await withinLimit(this.#ports, 'resize', (context) => connector.resize?.(id, wantedSize, context) ?? Promise.resolve());
  }

  /** The end of the console of a machine. Where it cannot be read there is nothing to show. */
  async lastWords(cloud: string, id: string): Promise<string[]> {
    const { connector } = this.#ports.clouds.get(cloud);
    if (connector.consoleLog === undefined) return [];
    return withinLimit(this.#ports, 'consoleLog', (context) => readLastWords(connector, id, context)).catch(() => []);
  }

  async describe(cloud: string, instances: readonly Instance[]): Promise<Map<Instance, Machine>> {
    const { connector } = this.#ports.clouds.get(cloud);
    const byId = idsOf(instances);
    const machines = await withinLimit(this.#ports, 'describe', (context) => connector.describe([...byId.keys()], context));
    return new Map(
      [...machines].flatMap(([id, machine]) => {
        const instance = byId.get(id);
        return instance === undefined ? [] : [[instance, machine] as const];
      }),
    );
  }
}

function idsOf(instances: readonly Instance[]): Map<string, Instance> {
  return new Map(instances.flatMap((instance) => (instance.machine.id === null ? [] : [[instance.machine.id, instance] as const])));
}
