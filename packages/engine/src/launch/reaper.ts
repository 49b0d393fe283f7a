import { PacelineError } from '@paceline/model';
import type { ConnectorErrorCode, Resource } from '../connector/index.ts';
import type { Run } from '../run/run.ts';
import { hasEnded } from '../run/run.ts';
import type { Clouds } from './clouds.ts';
import type { CallFrame } from './call-limit.ts';
import type { CloudLine } from './cloud-line.ts';
import { toConnectorError } from './connector-failure.ts';
import { removeResource } from './remove-resource.ts';

/** Something on a cloud that carries this engine's tags and that nobody needs. */
export interface Orphan {
  cloud: string;
  resource: Resource;
  /** For people. */
  reason: string;
}

export interface ReapReport {
  orphans: Orphan[];
  /** Clouds that could not be looked at, or did not let go of something. */
  failures: { cloud: string; message: string }[];
  /** How many of our resources were seen, those in use included. */
  seen: number;
}

export interface ReaperPorts extends CallFrame {
  clouds: Clouds;
  engineId: string;
  /** Other engines go by the same id. */
  shared: boolean;
  /** A run as it is stored; undefined when there is none of this id. */
  run(id: string): Promise<Run | undefined>;
}

/** A machine that the ledger does not know may still be on its way into it for this long, in milliseconds. */
const settlingMs = 15 * 60_000;

/**
 * The second net against leaks: compares what the clouds show with what the store knows. The first net is the ledger, the third the
 * timer in each machine.
 */
export class Reaper {
  readonly #ports: ReaperPorts;

  constructor(ports: ReaperPorts) {
    this.#ports = ports;
  }

  /**
   * Finds what nobody needs, and removes it when told to.
   * @param remove otherwise it is only reported
   * @param runs only what belongs to these runs
   * @throws PACELINE_REQUEST_INVALID when it would remove what other engines still need
   */
  async reap(remove: boolean, runs?: readonly string[]): Promise<ReapReport> {
    if (remove && this.#ports.shared && runs === undefined) {
      throw new PacelineError('PACELINE_REQUEST_INVALID', 'Machines of other servers carry the same tag, and their runs are unknown here', {
        hint: 'Name the runs whose leftovers are to go.',
      });
    }
    const report: ReapReport = { orphans: [], failures: [], seen: 0 };
    for (const cloud of this.#ports.clouds.names) {
      try {
        const orphans = await this.#find(cloud, report, runs);
        report.orphans.push(...orphans);
        if (remove) report.failures.push(...(await this.#remove(cloud, orphans)));
      } catch (cause) {
        report.failures.push({ cloud, message: toConnectorError(cause).message });
      }
    }
    return report;
  }

  async #find(cloud: string, report: ReapReport, only?: readonly string[]): Promise<Orphan[]> {
    const all = await this.#ports.clouds.line(cloud).list(this.#ports, { engine: this.#ports.engineId });
    const resources = all.filter(({ owner }) => only === undefined || only.includes(owner.run));
    report.seen += resources.length;
    const runs = new Map<string, Run | undefined>();
    for (const { owner } of resources) if (!runs.has(owner.run)) runs.set(owner.run, await this.#ports.run(owner.run));
    return resources.flatMap((resource) => {
      const reason = reasonToGo(resource, runs.get(resource.owner.run), this.#ports.clock.now());
      return reason === undefined ? [] : [{ cloud, resource, reason }];
    });
  }

  /** @returns what could not be removed: one thing that is held by another does not keep the rest */
  async #remove(cloud: string, orphans: readonly Orphan[]): Promise<ReapReport['failures']> {
    const line = this.#ports.clouds.line(cloud);
    const machines = orphans.filter(({ resource }) => resource.kind === 'machine').map(({ resource }) => resource.id);
    const kept = await this.#terminate(line, machines);
    const failures: ReapReport['failures'] = [];
    for (const { resource, reason } of orphans) {
      const { kind, id } = resource;
      try {
        if (kind !== 'machine') await removeResource(this.#ports, line, resource);
        else if (kept.has(id)) throw kept.get(id);
        this.#ports.log.warn(`${kind} ${id} on ${cloud} is removed: ${reason}`);
      } catch (cause) {
        failures.push({ cloud, message: `${kind} ${id} is still there: ${toConnectorError(cause).message}` });
      }
    }
    return failures;
  }

  /** All in one call and, when that is refused, one by one. @returns why machines could not be ended, by their ids */
  async #terminate(line: CloudLine, ids: readonly string[]): Promise<Map<string, unknown>> {
    if (ids.length === 0) return new Map();
    try {
      await line.call(this.#ports, 'terminate', (context) => line.connector.terminate(ids, context));
      return new Map();
    } catch (cause) {
      // What keeps the cloud from answering would keep it from answering for each of them.
      if (ids.length === 1 || concernsAll.has(toConnectorError(cause).code)) return new Map(ids.map((id) => [id, cause]));
    }
    const each = new Map<string, unknown>();
    for (const id of ids) for (const [kept, cause] of await this.#terminate(line, [id])) each.set(kept, cause);
    return each;
  }
}

const concernsAll: ReadonlySet<ConnectorErrorCode> = new Set(['auth', 'throttled', 'unavailable', 'timeout']);

/** Why a resource with our tags is to go; undefined when it is needed, or may be. */
export function reasonToGo(resource: Resource, run: Run | undefined, now: number): string | undefined {
  const { kind, owner, machine, expiresAt, id } = resource;
  // An image outlives the run that has built it.
  if (kind === 'image' || machine?.state === 'terminated') return undefined;
  if (run === undefined) return `there is no run ${owner.run}`;
  if (hasEnded(run)) return `its run has ended: ${run.facts.state}`;
  if (machine === undefined || now < machine.createdAt.getTime() + settlingMs) return undefined;
  if (expiresAt !== undefined && now > expiresAt.getTime() + settlingMs) return `its time was over at ${expiresAt.toISOString()}`;
  const known = [...run.instances.values()].some((instance) => instance.machine.id === id || instance.machine.status === 'intended');
  return known ? undefined : `it is no machine of run ${owner.run}`;
}
