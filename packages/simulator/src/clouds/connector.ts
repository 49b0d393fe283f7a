import {
  ConnectorError,
  type Connector,
  type ConnectorContext,
  type ConnectorErrorCode,
  type ConnectorErrorDetails,
  type LaunchRequest,
  type Machine,
  type Resource,
} from '@paceline/engine/connector';
import type { FaultKind } from '../faults/kinds.ts';
import type { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { World } from '../world.ts';
import type { SimulatedCloud } from './cloud.ts';

type Method = 'launch' | 'describe' | 'list' | 'terminate' | 'remove';

/** How one process of the engine reaches a cloud: over a network, with an interface that fails in all the ways that they do. */
export class CloudLine {
  readonly connector: Connector;
  readonly #world: World;
  readonly #cloud: SimulatedCloud;
  readonly #process: Process;
  readonly #random: Random;
  /** Gives up when it is told to; some connectors go on waiting. */
  readonly #obeys: boolean;
  /** Knows of a request that was turned away that it has done nothing. */
  readonly #knowsUntouched: boolean;

  constructor(world: World, cloud: SimulatedCloud, process: Process) {
    this.#world = world;
    this.#cloud = cloud;
    this.#process = process;
    this.#random = world.random.fork(`${process.name} to ${cloud.name}`);
    this.#obeys = this.#random.chance(0.8);
    this.#knowsUntouched = this.#random.chance(0.5);
    const { checks } = world;
    this.connector = {
      info: { name: 'simulated', version: '0.0.0', api: 1 },
      capabilities: cloud.capabilities,
      launch: (request, context) => {
        checks.machines.launching(process, cloud, request);
        if (cloud.isElsewhere) checks.machines.launchingElsewhere(cloud, request);
        const launched = cloud.makesOneByOne
          ? this.#launchEach(request, context)
          : this.#call('launch', context, () => cloud.launch(request));
        // Who has given up does not hear of it.
        const answered = (): void => void (context.signal.aborted || checks.machines.answered(process, request));
        launched.then(answered, answered);
        return launched;
      },
      describe: (ids, context) => this.#ask('describe', context, () => cloud.describe(ids), new Map()),
      list: (query, context) => {
        const look = (): Resource[] => {
          const found = cloud.list(query);
          checks.machines.listed(process, query, found.length);
          return found;
        };
        return pages(this.#ask('list', context, look, []));
      },
      terminate: (ids, context) => {
        checks.machines.terminating(process, cloud, ids);
        const gone = ids.map((id) => ({ id, gone: true }));
        return this.#ask('terminate', context, () => cloud.terminate(ids), gone);
      },
      remove: (resource, context) => this.#ask('remove', context, () => cloud.remove(resource), undefined),
      ...(world.faults.has('cloud.elsewhere') && { account: async () => (cloud.isElsewhere ? 'another' : cloud.name) }),
      probe: async () => ({ account: cloud.name, regions: [] }),
    };
  }

  async #launchEach({ shared: _, ...request }: LaunchRequest, context: ConnectorContext): Promise<Machine[]> {
    const made: Machine[] = [];
    for (const machine of request.machines) {
      if (context.signal.aborted && made.length > 0) break;
      this.#world.checks.machines.goingOn(this.#process, request);
      try {
        made.push(...(await this.#call('launch', context, () => this.#cloud.launch({ ...request, machines: [machine] }))));
      } catch (error) {
        if (made.length === 0) throw error;
        break;
      }
    }
    return made;
  }

  /** @param nothing what another account answers, when the credential leads there as the call begins */
  #ask<T>(method: Method, context: ConnectorContext, act: () => T, nothing: T): Promise<T> {
    const { isElsewhere } = this.#cloud;
    return this.#call(method, context, isElsewhere ? () => nothing : act);
  }

  async #call<T>(method: Method, context: ConnectorContext, act: () => T): Promise<T> {
    const { kernel, faults, trace } = this.#world;
    const answer = this.#process.answer<T>();
    const fail = (code: ConnectorErrorCode, message: string, details: ConnectorErrorDetails = {}): void =>
      answer.reject(new ConnectorError(code, message, details));
    if (this.#obeys) context.signal.addEventListener('abort', () => fail('timeout', 'it was given up'));
    trace?.add(this.#process.name, `asks ${this.#cloud.name} to ${method}`);
    const way = (): number => (faults.strikes('cloud.slow', 0.1) ? this.#random.between(2000, 60_000) : this.#random.longTailed(80, 1000));
    const arrive = (ms: number, then: () => void): void => {
      this.#cloud.pending += 1;
      kernel.after(ms, () => {
        this.#cloud.pending -= 1;
        then();
      });
    };
    const effect = (isLost: boolean): void => {
      // What a dead process had sent may still arrive.
      if (this.#process.isDead && this.#random.chance(0.3)) return;
      this.#process.effect(() => done(isLost));
    };
    const done = (isLost: boolean): void => {
      let result: T;
      try {
        result = act();
      } catch (error) {
        return void kernel.after(way(), () => answer.reject(error as Error));
      }
      trace?.add(this.#cloud.name, `has done ${method}${isLost ? ', and the answer is lost' : ''}`);
      if (!isLost) kernel.after(way(), () => answer.resolve(result));
      else if (this.#random.chance(0.8))
        kernel.after(way(), () => fail(this.#random.pick(['timeout', 'unavailable', 'internal']), 'no answer'));
    };
    const refused = this.#refusal(method);
    if (refused !== undefined) {
      const { code, ...details } = refused;
      kernel.after(way(), () => fail(code, 'not now', { ...details, untouched: this.#knowsUntouched }));
    } else if (method !== 'list' && method !== 'describe' && faults.strikes('cloud.late-effect', 0.06)) {
      // The request is still on its way when its sender has given up.
      arrive(this.#random.longTailed(40_000, 300_000), () => effect(false));
      if (this.#random.chance(0.7)) kernel.after(this.#random.between(1000, 30_000), () => fail('timeout', 'no answer'));
    } else {
      arrive(way(), () => effect(faults.strikes('cloud.lost-answer', 0.1)));
      if (method === 'launch' && faults.strikes('cloud.double-launch', 0.1)) arrive(way(), () => attempt(act));
    }
    return answer.promise;
  }

  #refusal(method: Method): { code: ConnectorErrorCode; retryAfterMs?: number } | undefined {
    const { faults } = this.#world;
    const occasions: [FaultKind, ConnectorErrorCode, number][] = [
      ['cloud.throttled', 'throttled', 0.15],
      ['cloud.unavailable', 'unavailable', 0.15],
    ];
    for (const [kind, code, chance] of occasions) {
      if (!faults.strikes(kind, chance)) continue;
      return code === 'throttled' && method === 'launch' ? { code, retryAfterMs: this.#random.whole(100, 8000) } : { code };
    }
    return undefined;
  }
}

async function* pages<T>(listing: Promise<T[]>): AsyncGenerator<T> {
  yield* await listing;
}

function attempt(act: () => unknown): void {
  try {
    act();
  } catch {
    // Nobody waits for this answer.
  }
}
