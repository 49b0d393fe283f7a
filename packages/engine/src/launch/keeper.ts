import {
  ConnectorError,
  isConnectorError,
  type Connector,
  type ConnectorContext,
  type Machine,
  type Resource,
} from '../connector/index.ts';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import { hasJoined } from '../run/instance.ts';
import { hasEnded, type Run } from '../run/run.ts';
import { dropOrAbort } from '../lifecycle/provisioning.ts';
import { lost, machineFound, machineGone } from './found.ts';
import { launchRequest, type LaunchFrame } from './launch-request.ts';
import { machineChange, mustGo } from './ledger.ts';
import { backoffMs, isAmbiguous, isTransient, mayLaunchAgain } from './retry.ts';
import type { Clouds } from './clouds.ts';

export interface KeeperPorts extends LaunchFrame {
  clouds: Clouds;
  context: ConnectorContext;
  random: () => number;
  /** Brings what was learned into the run; resolves when it is stored. */
  report(decide: (run: Run, now: number) => Change[]): Promise<void>;
}

/** How often a machine without an address is looked at, in milliseconds. */
const describeEveryMs = 2000;

/**
 * Brings the machines of one run to what its ledger says: level-triggered, one call per launch token and cloud at a time. What a
 * call has done in vain, or with an unknown outcome, is looked up before it is done again.
 */
export class MachineKeeper {
  readonly #run: Run;
  readonly #ports: KeeperPorts;
  readonly #busy = new Set<string>();
  /** Tokens of launches that may have happened already: those found in the store at the start, and those that failed. */
  readonly #unclear: Set<string>;

  constructor(run: Run, ports: KeeperPorts) {
    this.#run = run;
    this.#ports = ports;
    this.#unclear = new Set(this.#intended().keys());
  }

  /** Starts the calls that are due. */
  keep(): void {
    if (hasEnded(this.#run)) return;
    for (const [token, instances] of this.#intended()) {
      if (this.#mayLaunch() || this.#run.facts.outcome !== null) {
        this.#once(`launch ${token}`, instances, () => this.#launch(token, instances));
      }
    }
    for (const [cloud, instances] of this.#leaving()) {
      this.#once(`terminate ${cloud}`, instances, () => this.#terminate(cloud, instances));
    }
    for (const [cloud, instances] of this.#addressless()) {
      this.#once(`describe ${cloud}`, instances, () => this.#describe(cloud, instances));
    }
  }

  /** When the next call is due by time alone. */
  nextDue(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { machine } of this.#run.instances.values()) {
      if (machine.retryAt > 0 && (machine.status === 'intended' || machine.status === 'terminating' || machine.address === null)) {
        due = Math.min(due, machine.retryAt);
      }
    }
    return due;
  }

  /** Asks the cloud about an instance whose agent is silent. */
  inspect(instance: Instance): void {
    const { cloud, id, status } = instance.machine;
    if (id === null || status !== 'launched') return;
    this.#once(`inspect ${instance.name}`, [instance], () => this.#describe(cloud, [instance]));
  }

  #mayLaunch(): boolean {
    const { state, abort, outcome } = this.#run.facts;
    return state === 'Provisioning' && abort === null && outcome === null;
  }

  #intended(): Map<string, Instance[]> {
    return grouped(
      this.#run,
      ({ machine }) => machine.status === 'intended',
      ({ machine }) => machine.token,
    );
  }

  #leaving(): Map<string, Instance[]> {
    return grouped(
      this.#run,
      (instance) => {
        const { status } = instance.machine;
        return status === 'terminating' || (status === 'launched' && mustGo(this.#run, instance));
      },
      cloudOf,
    );
  }

  #addressless(): Map<string, Instance[]> {
    return grouped(
      this.#run,
      (instance) => {
        const { status, address } = instance.machine;
        return status === 'launched' && address === null && !mustGo(this.#run, instance);
      },
      cloudOf,
    );
  }

  #once(key: string, instances: Instance[], call: () => Promise<void>): void {
    const now = this.#ports.context.now();
    if (this.#busy.has(key) || instances.every(({ machine }) => machine.retryAt > now)) return;
    this.#busy.add(key);
    call()
      .catch((error: unknown) => this.#ports.context.log.warn(`${key}: ${String(error)}`))
      .finally(() => {
        this.#busy.delete(key);
        void this.#ports.report(() => []).catch(() => {});
      });
  }

  async #launch(token: string, instances: Instance[]): Promise<void> {
    const [first] = instances;
    if (first === undefined) return;
    const { connector } = this.#ports.clouds.get(first.machine.cloud);
    try {
      if (this.#unclear.has(token)) {
        await this.#found(instances, await this.#lookUp(connector, token));
        this.#unclear.delete(token);
      }
      const missing = instances.filter(({ machine }) => machine.status === 'intended');
      if (!this.#mayLaunch()) {
        await this.#ports.report((run, now) =>
          missing.filter((instance) => mustGo(run, instance)).flatMap((instance) => machineGone(instance, now)),
        );
        return;
      }
      for (let from = 0; from < missing.length; from += connector.capabilities.maxBatch) {
        const batch = missing.slice(from, from + connector.capabilities.maxBatch);
        await this.#found(batch, await connector.launch(launchRequest(this.#run, batch, connector, this.#ports), this.#ports.context));
      }
      if (missing.some(({ machine }) => machine.status === 'intended')) {
        throw new ConnectorError('unavailable', 'the cloud did not return all machines that were asked for');
      }
    } catch (cause) {
      const error = toConnectorError(cause);
      if (isAmbiguous(error.code)) this.#unclear.add(token);
      await this.#launchFailed(instances, error, isAmbiguous(error.code) ? connector.capabilities.listConsistencyMs : 0);
    }
  }

  async #lookUp(connector: Connector, token: string): Promise<Machine[]> {
    const machines: Machine[] = [];
    const query = { engine: this.#ports.engineId, run: this.#run.id, token };
    for await (const resource of connector.list(query, this.#ports.context)) {
      const machine = machineOf(resource);
      if (machine !== undefined) machines.push(machine);
    }
    return machines;
  }

  #found(instances: Instance[], machines: Machine[]): Promise<void> {
    return this.#ports.report((run, now) =>
      machines.flatMap((machine) => {
        const instance = instances.find(({ index }) => index === machine.index);
        return instance === undefined ? [] : machineFound(run, instance, machine, now);
      }),
    );
  }

  /** @param visibleAfterMs how long a machine of the failed call may hide from a look-up */
  #launchFailed(instances: Instance[], error: ConnectorError, visibleAfterMs: number): Promise<void> {
    return this.#ports.report((run, now) => {
      const changes: Change[] = [];
      for (const instance of instances) {
        if (instance.machine.status !== 'intended') continue;
        const attempts = instance.machine.attempts + 1;
        const again = mayLaunchAgain(error.code, attempts);
        const waitMs = again ? backoffMs(attempts, this.#ports.random(), error.details.retryAfterMs) : 0;
        changes.push(machineChange(instance, { attempts, retryAt: now + Math.max(visibleAfterMs, waitMs), fault: error.message }));
        if (again || mustGo(run, instance)) continue;
        const hint = error.details.hint === undefined ? '' : ` (${error.details.hint})`;
        changes.push(
          ...dropOrAbort(
            run,
            instance,
            `${instance.name} could not be launched on ${instance.machine.cloud}: ${error.message}${hint}`,
            now,
          ),
        );
      }
      return changes;
    });
  }

  async #terminate(cloud: string, instances: Instance[]): Promise<void> {
    const { connector } = this.#ports.clouds.get(cloud);
    const due = instances.filter(({ machine }) => machine.retryAt <= this.#ports.context.now());
    await this.#ports.report(() =>
      due
        .filter(({ machine }) => machine.status === 'launched')
        .map((instance) => machineChange(instance, { status: 'terminating', attempts: 0, retryAt: 0 })),
    );
    const byId = new Map(due.flatMap((instance) => (instance.machine.id === null ? [] : [[instance.machine.id, instance] as const])));
    try {
      const results = await connector.terminate([...byId.keys()], this.#ports.context);
      await this.#ports.report((_run, now) =>
        results.flatMap(({ id, gone }) => {
          const instance = byId.get(id);
          if (instance === undefined) return [];
          return gone ? machineGone(instance, now) : [machineChange(instance, { retryAt: now + describeEveryMs })];
        }),
      );
    } catch (cause) {
      const error = toConnectorError(cause);
      this.#ports.context.log.warn(`terminating on ${cloud}: ${error.message}`);
      await this.#ports.report((_run, now) =>
        due.map((instance) => {
          const attempts = instance.machine.attempts + 1;
          return machineChange(instance, {
            attempts,
            fault: error.message,
            retryAt: now + backoffMs(attempts, this.#ports.random(), error.details.retryAfterMs),
          });
        }),
      );
    }
  }

  async #describe(cloud: string, instances: Instance[]): Promise<void> {
    const { connector } = this.#ports.clouds.get(cloud);
    const ids = instances.flatMap(({ machine }) => (machine.id === null ? [] : [machine.id]));
    const later = (now: number): Change[] => instances.map((instance) => machineChange(instance, { retryAt: now + describeEveryMs }));
    try {
      const machines = await connector.describe(ids, this.#ports.context);
      await this.#ports.report((run, now) => [
        ...later(now),
        ...instances.flatMap((instance) => {
          const machine = machines.get(instance.machine.id ?? '');
          if (machine !== undefined) return machineFound(run, instance, machine, now);
          const visibleAt = (instance.machine.launchedAt ?? 0) + connector.capabilities.listConsistencyMs;
          return now < visibleAt ? [] : lost(run, instance, 'the cloud does not know its machine any more', now);
        }),
      ]);
    } catch (cause) {
      const error = toConnectorError(cause);
      await this.#ports.report((run, now) => [
        ...later(now),
        ...(isTransient(error.code)
          ? []
          : instances
              .filter((instance) => !hasJoined(instance))
              .flatMap((instance) => dropOrAbort(run, instance, `${instance.name}: ${error.message}`, now))),
      ]);
    }
  }
}

function grouped(run: Run, wanted: (instance: Instance) => boolean, keyOf: (instance: Instance) => string): Map<string, Instance[]> {
  const groups = new Map<string, Instance[]>();
  for (const instance of run.instances.values()) {
    if (!wanted(instance)) continue;
    const key = keyOf(instance);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [instance]);
    else group.push(instance);
  }
  return groups;
}

function cloudOf({ machine }: Instance): string {
  return machine.cloud;
}

function machineOf(resource: Resource): Machine | undefined {
  const { machine } = resource;
  return machine === undefined || machine.state === 'terminated' ? undefined : machine;
}

function toConnectorError(cause: unknown): ConnectorError {
  if (isConnectorError(cause)) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ConnectorError('internal', message, { cause });
}
