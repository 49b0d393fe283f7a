import { ConnectorError, isConnectorError, type AttachedDisk, type Machine, type MachineImage, type Resource } from '../connector/index.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { Change, Decision } from '../run/change.ts';
import { entryOf } from '../run/entry.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { batchOf } from './batch.ts';
import type { CallFrame } from './call-limit.ts';
import type { CloudLine } from './cloud-line.ts';
import type { Clouds } from './clouds.ts';
import { toConnectorError } from './connector-failure.ts';
import { removeResource } from './remove-resource.ts';
import { isTransient } from './retry.ts';
import { terminateMachines } from './terminate-machines.ts';
import { readLastWords } from './last-words.ts';
import { lostImage, type LostImage } from './lost-image.ts';
import { launchRequest, type LaunchFrame } from './launch-request.ts';

export interface CloudCallsPorts extends LaunchFrame, CallFrame {
  clouds: Clouds;
  images: ImageStore;
  /** Brings what was learned into the run, decision by decision; resolves when all is stored. */
  report(decisions: readonly Decision[]): Promise<void>;
}

/** The calls to clouds, in terms of a run's instances. */
export class CloudCalls {
  readonly #run: Run;
  readonly #ports: CloudCallsPorts;

  constructor(run: Run, ports: CloudCallsPorts) {
    this.#run = run;
    this.#ports = ports;
  }

  /** How long the cloud may hide a new machine, in milliseconds. */
  listConsistencyMs(cloud: string): number {
    return this.#ports.clouds.listConsistencyMs(cloud);
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
    const { bringsNode } = connector.capabilities;
    const account = await this.#account(cloud);
    const runtime = bringsNode === true ? undefined : await this.#ports.runtime?.();
    let missing = 0;
    for (let rest = instances; rest.length > 0 && goesOn();) {
      const batch = batchOf(rest, configured);
      rest = rest.slice(batch.length);
      const request = launchRequest(this.#run, batch, configured, this.#ports, runtime);
      const machines = await this.#line(cloud).callIn(this.#ports, account, 'launch', async (context) =>
        // Until it has its turn, the run may have come to its end.
        goesOn() ? connector.launch(request, context) : undefined,
      );
      if (machines === undefined) return;
      await found(batch, machines);
      missing += batch.filter(({ index }) => !machines.some((machine) => machine.index === index)).length;
    }
    if (missing > 0) throw new ConnectorError('unavailable', 'the cloud did not return all machines that were asked for');
  }

  /** What machines boot instead, when what a launch did not find is the image that was built for them. */
  async lostImage({ code }: ConnectorError, [first]: readonly Instance[]): Promise<LostImage | undefined> {
    if (code !== 'notFound' || first === undefined) return undefined;
    try {
      return await lostImage(this.#run, first, await this.#account(first.machine.cloud), this.#ports);
    } catch (cause) {
      this.#ports.log.warn(`whether the image of ${first.name} is there still: ${toConnectorError(cause).message}`);
      return undefined;
    }
  }

  /** The machines that a launch has made, whoever heard of it. */
  async lookUp(cloud: string, token: string): Promise<Machine[]> {
    const found = await this.#list(cloud, token);
    return found.flatMap(({ machine }) => (machine === undefined || machine.state === 'terminated' ? [] : [machine]));
  }

  /** @returns those whose machine is gone, and why others are still there; what is in neither is going */
  async terminate(
    cloud: string,
    instances: readonly Instance[],
    onGone: (gone: readonly Instance[]) => Promise<void>,
  ): Promise<{ gone: number; refused: Map<Instance, ConnectorError> }> {
    const byId = idsOf(instances);
    const attempts = Math.min(...instances.map(({ machine }) => machine.attempts));
    const account = await this.#account(cloud);
    const tell = (ids: readonly string[]): Promise<void> => onGone(ids.flatMap((id) => byId.get(id) ?? []));
    const { gone, refused } = await terminateMachines(this.#ports, this.#line(cloud), account, [...byId.keys()], attempts, tell);
    return {
      gone: gone.size,
      refused: new Map(
        [...byId].flatMap(([id, instance]) => {
          const error = refused.get(id);
          return error === undefined ? [] : [[instance, error] as const];
        }),
      ),
    };
  }

  /** Removes everything that carries the run's tags. @returns the ids of what was still there, and why it could not be removed */
  async sweep(cloud: string, attempts: number): Promise<{ found: string[]; failure: string | undefined }> {
    const line = this.#line(cloud);
    const all = await this.#list(cloud);
    // An image that the run has built is there to stay; one that nobody was told of is not.
    const built = all.some(({ kind }) => kind === 'image') ? await this.#ports.images.resources(cloud) : new Set();
    const left = all.filter(({ kind, id, machine }) => !(kind === 'image' && built.has(id)) && machine?.state !== 'terminated');
    const machines = left.filter(({ kind }) => kind === 'machine').map(({ id }) => id);
    const account = await this.#account(cloud);
    const { refused } = await terminateMachines(this.#ports, line, account, machines, attempts);
    const [refusal] = refused.values();
    let failure = refusal?.message;
    for (const resource of left.filter(({ kind }) => kind !== 'machine')) {
      await removeResource(this.#ports, line, account, resource).catch((cause: unknown) => {
        failure = toConnectorError(cause).message;
      });
    }
    if (refusal !== undefined && isTransient(refusal.code)) throw refusal;
    return { found: left.map(({ id }) => id), failure };
  }

  /**
   * Makes an image of a machine. Of what an earlier call has begun nobody knows whether it is whole: it is removed.
   * @param giveUp aborted, with an error, when nobody needs the image any more
   * @throws ConnectorError `unavailable` after that: the next call makes it anew
   */
  async createImage(cloud: string, { machine }: Instance, name: string, giveUp: AbortSignal): Promise<MachineImage> {
    const { connector } = this.#ports.clouds.get(cloud);
    const { id } = machine;
    if (connector.createImage === undefined || id === null) throw new ConnectorError('unsupported', `${cloud} cannot make images`);
    const create = connector.createImage.bind(connector);
    const account = await this.#account(cloud);
    const signal = AbortSignal.any([this.#ports.signal(), giveUp]);
    try {
      return await this.#line(cloud).callIn({ ...this.#ports, signal: () => signal }, account, 'createImage', (context) =>
        create(id, name, context),
      );
    } catch (error) {
      if (!isConnectorError(error) || error.code !== 'conflict') throw error;
    }
    const all = await this.#list(cloud);
    const found = all.find((resource) => resource.kind === 'image' && resource.name === name);
    if (found === undefined) throw new ConnectorError('conflict', `There is an image ${name} of somebody else`);
    await removeResource(this.#ports, this.#line(cloud), account, found);
    throw new ConnectorError('unavailable', `The image ${name} of an earlier attempt may not be whole, and was removed`);
  }

  /** Changes of a machine what is wanted. @returns the disk that it was given */
  async alter(cloud: string, { machine: { id, wanted, disks } }: Instance): Promise<AttachedDisk | undefined> {
    if (id === null || wanted === null) return undefined;
    const { connector } = this.#ports.clouds.get(cloud);
    const account = await this.#account(cloud);
    return this.#line(cloud).callIn(this.#ports, account, wanted.kind, async (context) => {
      if (connector[wanted.kind] === undefined) throw new ConnectorError('unsupported', `${cloud} cannot do that to a machine`);
      switch (wanted.kind) {
        case 'resize':
          await connector.resize?.(id, wanted.size, context);
          return undefined;
        case 'attachDisk':
          return connector.attachDisk?.(id, { token: wanted.token, gib: wanted.gib }, context);
        case 'detachDisk': {
          const disk = disks.find(({ device }) => device === wanted.device);
          if (disk !== undefined) await connector.detachDisk?.(id, disk.id, context);
          return undefined;
        }
      }
    });
  }

  /** The end of the console of a machine. Where it cannot be read there is nothing to show. */
  async lastWords(cloud: string, id: string): Promise<string[]> {
    const { connector } = this.#ports.clouds.get(cloud);
    if (connector.consoleLog === undefined) return [];
    return this.#line(cloud)
      .call(this.#ports, 'consoleLog', (context) => readLastWords(connector, id, context))
      .catch(() => []);
  }

  async describe(cloud: string, instances: readonly Instance[]): Promise<Map<Instance, Machine>> {
    const byId = idsOf(instances);
    const machines = await this.#line(cloud).describe(this.#ports, await this.#account(cloud), [...byId.keys()]);
    return new Map(
      [...machines].flatMap(([id, machine]) => {
        const instance = byId.get(id);
        return instance === undefined ? [] : [[instance, machine] as const];
      }),
    );
  }

  /** What the cloud shows of the run. @param token only of this launch */
  async #list(cloud: string, token?: string): Promise<Resource[]> {
    const query = { engine: this.#ports.engineId, run: this.#run.id, ...(token !== undefined && { token }) };
    return this.#line(cloud).list(this.#ports, await this.#account(cloud), query);
  }

  /**
   * The account that the run's machines are in. At its first launch on a cloud it is stored which one that is, before the cloud hears of
   * it; for a run that was stored before accounts were, at the first look.
   */
  async #account(cloud: string): Promise<string | undefined> {
    const known = entryOf(this.#run.facts.accounts, cloud);
    if (known !== undefined) return known;
    const account = await this.#line(cloud).account(this.#ports);
    if (account !== undefined) await this.#ports.report([(run) => accountTaken(run, cloud, account)]);
    return entryOf(this.#run.facts.accounts, cloud) ?? account;
  }

  #line(cloud: string): CloudLine {
    return this.#ports.clouds.line(cloud);
  }
}

/** The first to ask has said it for all. */
function accountTaken({ facts: { accounts } }: Run, cloud: string, account: string): Change[] {
  return entryOf(accounts, cloud) === undefined ? [{ kind: 'run', patch: { accounts: { ...accounts, [cloud]: account } } }] : [];
}

function idsOf(instances: readonly Instance[]): Map<string, Instance> {
  return new Map(instances.flatMap((instance) => (instance.machine.id === null ? [] : [[instance.machine.id, instance] as const])));
}
