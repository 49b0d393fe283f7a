import { PacelineError } from '@paceline/model';
import type { Resource } from '../connector/index.ts';
import type { Run } from '../run/run.ts';
import { hasEnded } from '../run/run.ts';
import type { Clouds } from './clouds.ts';
import type { CallFrame } from './call-limit.ts';
import { toConnectorError } from './connector-failure.ts';
import type { RunStore } from '../store/run-store.ts';
import { otherAccounts } from './other-account.ts';
import { removeResource } from './remove-resource.ts';
import { fewAttempts, terminateMachines } from './terminate-machines.ts';

/** Something on a cloud that carries this engine's tags and that nobody needs. */
export interface Orphan {
  cloud: string;
  resource: Resource;
  /** Why nobody needs it, for people. */
  reason: string;
  /** `ending`: its cloud has agreed, and still has it. `kept`: its cloud does not let go of it; `failures` says why. */
  outcome: 'found' | 'removed' | 'ending' | 'kept';
}

export interface ReapReport {
  orphans: Orphan[];
  /** Where each cloud was looked into, of those that have accounts. */
  accounts: { cloud: string; account: string }[];
  /** Clouds that could not be looked at, or not in the account that machines are in, or did not let go of something. */
  failures: { cloud: string; message: string }[];
  /** How many of our resources were seen, those in use included. */
  seen: number;
}

export interface ReaperPorts extends CallFrame {
  clouds: Clouds;
  engineId: string;
  /** Other engines go by the same id. */
  shared: boolean;
  store: Pick<RunStore, 'run' | 'accounts'> & { images: Pick<RunStore['images'], 'resources'> };
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
    const report: ReapReport = { orphans: [], accounts: [], failures: [], seen: 0 };
    for (const cloud of this.#ports.clouds.names) {
      try {
        // What was seen in one account is removed in no other.
        const account = await this.#ports.clouds.line(cloud).account(this.#ports);
        const orphans = await this.#find(cloud, account, report, runs);
        report.orphans.push(...(remove ? await this.#remove(cloud, account, orphans, report) : orphans));
      } catch (cause) {
        report.failures.push({ cloud, message: toConnectorError(cause).message });
      }
    }
    return report;
  }

  async #find(cloud: string, account: string | undefined, report: ReapReport, only?: readonly string[]): Promise<Orphan[]> {
    const line = this.#ports.clouds.line(cloud);
    const all = await line.list(this.#ports, account, { engine: this.#ports.engineId });
    if (account !== undefined) report.accounts.push({ cloud, account });
    const others = otherAccounts(cloud, account, await this.#ports.store.accounts(only));
    report.failures.push(...others.map(({ message }) => ({ cloud, message })));
    const resources = all.filter(({ owner }) => only === undefined || only.includes(owner.run));
    report.seen += resources.length;
    const runs = new Map<string, Run | undefined>();
    for (const { owner } of resources) if (!runs.has(owner.run)) runs.set(owner.run, await this.#ports.store.run(owner.run));
    const stored = await this.#ports.store.images.resources(cloud);
    return resources.flatMap((resource) => {
      const run = runs.get(resource.owner.run);
      const reason = resource.kind === 'image' ? whyNoImage(resource, run, stored) : reasonToGo(resource, run, this.#ports.clock.now());
      return reason === undefined ? [] : [{ cloud, resource, reason, outcome: 'found' }];
    });
  }

  /** @returns what has become of each: one thing that is held by another does not keep the rest */
  async #remove(cloud: string, account: string | undefined, orphans: readonly Orphan[], { failures }: ReapReport): Promise<Orphan[]> {
    const line = this.#ports.clouds.line(cloud);
    const machines = orphans.filter(({ resource }) => resource.kind === 'machine').map(({ resource }) => resource.id);
    const { gone, refused } = await terminateMachines(this.#ports, line, account, machines, fewAttempts);
    const seen: Orphan[] = [];
    for (const orphan of orphans) {
      const { kind, id } = orphan.resource;
      let outcome: Orphan['outcome'] = kind === 'machine' && !gone.has(id) ? 'ending' : 'removed';
      try {
        if (kind !== 'machine') await removeResource(this.#ports, line, account, orphan.resource);
        const refusal = refused.get(id);
        if (refusal !== undefined) throw refusal;
        this.#ports.log.warn(`${kind} ${id} on ${cloud} is removed: ${orphan.reason}`);
      } catch (cause) {
        outcome = 'kept';
        failures.push({ cloud, message: `${kind} ${id} is still there: ${toConnectorError(cause).message}` });
      }
      seen.push({ ...orphan, outcome });
    }
    return seen;
  }
}

/**
 * Why an image is to go: it outlives the run that has built it, unless that run never came to know of it, or another was quicker to
 * build the same. An image whose run is unknown may be all that is left of a store that was lost.
 */
export function whyNoImage({ id }: Resource, run: Run | undefined, stored: ReadonlySet<string>): string | undefined {
  if (run === undefined || !hasEnded(run) || stored.has(id)) return undefined;
  return `its run has ended, ${run.facts.state}, and no module stands on it`;
}

/** Why another resource with our tags is to go; undefined when it is needed, or may be. */
export function reasonToGo(resource: Resource, run: Run | undefined, now: number): string | undefined {
  const { owner, machine, expiresAt, id } = resource;
  if (machine?.state === 'terminated') return undefined;
  if (run === undefined) return `there is no run ${owner.run}`;
  if (hasEnded(run)) return `its run has ended: ${run.facts.state}`;
  if (machine === undefined || now < machine.createdAt.getTime() + settlingMs) return undefined;
  if (expiresAt !== undefined && now > expiresAt.getTime() + settlingMs) return `its time was over at ${expiresAt.toISOString()}`;
  const known = [...run.instances.values()].some((instance) => instance.machine.id === id || instance.machine.status === 'intended');
  return known ? undefined : `it is no machine of run ${owner.run}`;
}
