import { ConnectorError, type Machine } from '../connector/index.ts';
import type { Decision } from '../run/change.ts';
import { hasJoined, type Instance } from '../run/instance.ts';
import { versionOf } from '../run/apply.ts';
import type { Run } from '../run/run.ts';
import { needsOrder, wantedCalls, type Call } from './calls.ts';
import { CloudCalls, type CloudCallsPorts } from './cloud-calls.ts';
import { LaunchAttempts } from './attempts.ts';
import { Complaints } from './complaints.ts';
import { toConnectorError } from './connector-failure.ts';
import { Consoles } from './consoles.ts';
import { imageFailed, imageMade, imageName, wantsImage } from './create-image.ts';
import { endRefused } from './end-refused.ts';
import { launchFailed } from './launch-failed.ts';
import { bootInstead } from './lost-image.ts';
import { leftover, lost, machineFound, machinesGone } from './found.ts';
import { cloudsOf, machineChange, mayLaunch, mustGo, neverAskedFor } from './ledger.ts';
import { altered, alterationFailed } from './alteration.ts';
import { dueIn } from './retry.ts';

export interface KeeperPorts extends CloudCallsPorts {
  random: () => number;
  /** Nobody else can drive the run now. */
  holds(): boolean;
  /** Resolves when all that is known of the run now is stored. */
  stored(): Promise<void>;
}

/** How often a machine that is on its way up or down is looked at, in milliseconds. */
const lookEveryMs = 2000;
const longestLookMs = 60_000;

/**
 * Brings the machines of one run to what its ledger says: level-triggered, one call of a kind at a time. What a call has done in
 * vain, or with an unknown outcome, is looked up before it is done again.
 */
export class MachineKeeper {
  readonly #run: Run;
  readonly #ports: KeeperPorts;
  readonly #clouds: CloudCalls;
  readonly #consoles: Consoles;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #attempts = new LaunchAttempts();
  readonly #complaints = new Complaints();
  /** The clouds that show nothing of the run any more. */
  readonly #swept = new Set<string>();
  #sweeps = 0;
  /** What has been said of things that were left. */
  readonly #told = new Set<string>();
  /** When calls that found machines on their way may look again. */
  readonly #nextLook = new Map<string, number>();
  readonly #begunAt: number;
  /** Since when this process has known the run in Finalizing. */
  #finalizingAt = Number.POSITIVE_INFINITY;
  /** What the ledger asks for, as long as nothing in the run changes: looking for it costs as much as there are machines. */
  #asked: { version: number; calls: Call[] } | undefined;
  /** Of the call that makes an image. */
  #making: AbortController | undefined;
  #stopped = false;
  #mayMake = true;

  /** @param before resolves when no earlier keeper of the run has a call under way */
  constructor(run: Run, before: Promise<void> | undefined, ports: KeeperPorts) {
    this.#run = run;
    this.#ports = ports;
    this.#clouds = new CloudCalls(run, { ...ports, report: (decisions) => this.#report(decisions) });
    this.#consoles = new Consoles(this.#clouds, ports.clock, (decisions) => this.#report(decisions));
    this.#begunAt = ports.clock.elapsed();
    if (before !== undefined) {
      this.#mayMake = false;
      void before.then(() => this.#begin());
    } else this.#begin();
  }

  /** Starts the calls that are due. */
  keep(): void {
    if (!this.#ports.holds()) return;
    if (!wantsImage(this.#run)) this.#making?.abort(new Error('the run needs no image any more'));
    if (this.#run.facts.state === 'Finalizing') this.#finalizingAt = Math.min(this.#finalizingAt, this.#now());
    for (const call of this.#wanted()) if (this.#dueIn(call) <= 0) this.#start(call);
  }

  /** In how many milliseconds the next call is due by time alone. Those under way come back by themselves. */
  nextDueIn(): number {
    let next = Number.POSITIVE_INFINITY;
    if (!this.#ports.holds()) return next;
    for (const call of this.#wanted()) if (!this.#busy.has(call.key)) next = Math.min(next, this.#dueIn(call));
    return next;
  }

  /** Asks the clouds about machines whose agents are silent. */
  inspect(instances: readonly Instance[]): void {
    const groups = Map.groupBy(
      instances.filter(({ machine }) => machine.id !== null && machine.status === 'launched' && machine.cloudState !== 'lost'),
      ({ machine }) => machine.cloud,
    );
    for (const [cloud, group] of groups) this.#start({ kind: 'describe', key: `inspect ${cloud}`, cloud, instances: group, at: 0 });
  }

  /** Starts nothing more. Resolves when no call is under way, so that the next keeper sees what they have done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#busy.values());
  }

  #wanted(): Call[] {
    const version = versionOf(this.#run);
    if (this.#asked?.version !== version) this.#asked = { version, calls: wantedCalls(this.#run) };
    const calls = this.#mayMake ? this.#asked.calls : this.#asked.calls.filter((call) => !needsOrder(call));
    return calls.filter(({ kind, cloud }) => kind !== 'sweep' || !this.#swept.has(cloud));
  }

  /** The process, or the keeper, that wrote these intents may have ended right after its call. */
  #begin(): void {
    for (const { machine } of this.#run.instances.values()) {
      if (machine.status === 'intended') this.#attempts.inherited(machine.token, this.#visibleAt(machine.cloud));
    }
    if (this.#mayMake) return;
    this.#mayMake = true;
    this.#report([]).catch(() => {});
  }

  #dueIn(call: Call): number {
    // Until then there may be more of it.
    if (call.kind === 'sweep' && this.#busy.has(`createImage ${call.cloud}`)) return Number.POSITIVE_INFINITY;
    if (this.#needsNobody(call)) return 0;
    const visibleAt = call.kind === 'launch' ? this.#attempts.visibleAt(tokenOf(call)) : 0;
    return Math.max(dueIn(call.at, this.#time()), Math.max(visibleAt, this.#nextLook.get(call.key) ?? 0) - this.#now());
  }

  /** Of its machines, which are not wanted any more, the cloud has never heard. */
  #needsNobody(call: Call): boolean {
    return call.kind === 'launch' && !this.#attempts.isHeard(tokenOf(call)) && call.instances.every((each) => mustGo(this.#run, each));
  }

  #start(call: Call): void {
    if (this.#stopped || this.#busy.has(call.key)) return;
    // Clouds hear of nothing that is not stored.
    const work = this.#ports
      .stored()
      .then(() => this.#carryOut(call))
      .catch((error: unknown) => this.#ports.log.warn(`${call.key}: ${String(error)}`))
      .finally(() => {
        this.#busy.delete(call.key);
        void this.#report([]).catch(() => {});
      });
    this.#busy.set(call.key, work);
  }

  async #carryOut(call: Call): Promise<void> {
    const now = this.#time();
    const due = call.instances.filter(({ machine }) => dueIn(machine.retryAt, now) <= 0);
    if (this.#stopped || !this.#ports.holds()) return;
    if (this.#needsNobody(call)) return this.#report([() => call.instances.map(neverAskedFor)]);
    if (call.kind === 'sweep') return this.#sweep(call);
    if (due.length === 0) return;
    switch (call.kind) {
      case 'launch':
        return this.#launch(call, due);
      case 'terminate':
        return this.#terminate(call, due);
      case 'describe':
        return this.#describe(call, due);
      case 'alter':
        return this.#alter(call, due);
      case 'createImage':
        return this.#createImage(call, due);
    }
  }

  async #launch(call: Call, instances: Instance[]): Promise<void> {
    const token = tokenOf(call);
    try {
      if (this.#attempts.isUnclear(token)) {
        const machines = await this.#clouds.lookUp(call.cloud, token);
        // All of the token's, also those that are not to be tried again yet: later nobody looks for them any more.
        await this.#found(intendedWith(this.#run, token), machines);
        this.#attempts.lookedUp(token);
      }
      const missing = instances.filter(({ machine }) => machine.status === 'intended');
      await this.#report(machinesGone(missing.filter((instance) => mustGo(this.#run, instance))));
      const stays = missing.filter((instance) => !mustGo(this.#run, instance));
      const wanted = stays.filter((instance) => !hasJoined(instance));
      const goesOn = (): boolean => !this.#stopped && this.#ports.holds() && mayLaunch(this.#run);
      if (wanted.length > 0) {
        await this.#clouds.launch(call.cloud, wanted, goesOn, (batch, machines) => {
          this.#attempts.succeeded(token);
          if (machines.length < batch.length) this.#attempts.incomplete(token, this.#visibleAt(call.cloud));
          return this.#found(batch, machines);
        });
      }
      if (wanted.length < stays.length) throw new ConnectorError('unavailable', 'a machine that has joined is not shown');
      this.#complaints.succeeded(call.key);
    } catch (cause) {
      const error = toConnectorError(cause);
      this.#attempts.failed(token, error, this.#visibleAt(call.cloud));
      const lost = await this.#clouds.lostImage(error, intendedWith(this.#run, token));
      if (lost !== undefined) return this.#report([(run, now) => bootInstead(intendedWith(run, token), lost, now)]);
      await this.#report([
        this.#complaint(call, 'launch machines', error),
        ...instances.map((instance) => launchFailed(instance, error, this.#ports.random())),
      ]);
    }
  }

  #found(instances: readonly Instance[], machines: readonly Machine[]): Promise<void> {
    return this.#report(
      machines.flatMap((machine): Decision[] => {
        const instance = instances.find(({ index }) => index === machine.index);
        return instance === undefined ? [] : [(run, now) => machineFound(run, instance, machine, now)];
      }),
    );
  }

  async #terminate({ key, cloud }: Call, instances: Instance[]): Promise<void> {
    const launched = instances.filter(({ machine }) => machine.status === 'launched');
    if (this.#run.facts.abort !== null) await this.#consoles.show(launched);
    await this.#report(launched.map((instance) => () => [machineChange(instance, { status: 'terminating', attempts: 0, retryAt: 0 })]));
    const onGone = (some: readonly Instance[]): Promise<void> => this.#report(machinesGone(some));
    const { gone, refused } = await this.#clouds.terminate(cloud, instances, onGone).catch((cause: unknown) => {
      const error = toConnectorError(cause);
      return { gone: 0, refused: new Map(instances.map((instance) => [instance, error])) };
    });
    const [error] = refused.values();
    if (error === undefined) this.#complaints.succeeded(key);
    else this.#ports.log.warn(`terminating on ${cloud}: ${error.message}`);
    this.#nextLook.set(key, gone + refused.size < instances.length ? this.#now() + lookEveryMs : 0);
    await this.#report([
      ...(error === undefined ? [] : [this.#complaint({ key, cloud }, 'terminate machines', error)]),
      ...[...refused].map(([instance, why]) => endRefused(instance, why, this.#ports.random())),
    ]);
  }

  async #alter({ cloud }: Call, instances: readonly Instance[]): Promise<void> {
    for (const instance of instances) {
      try {
        const attached = await this.#clouds.alter(cloud, instance);
        await this.#report([() => altered(instance, attached)]);
      } catch (cause) {
        const error = toConnectorError(cause);
        await this.#report([(run, now) => alterationFailed(run, instance, error, this.#ports.random(), now)]);
      }
    }
  }

  async #createImage({ cloud }: Call, [instance]: readonly Instance[]): Promise<void> {
    if (instance === undefined) return;
    this.#making = new AbortController();
    const decision = await this.#clouds.createImage(cloud, instance, imageName(this.#run), this.#making.signal).then(
      (made): Decision =>
        (run, now) =>
          imageMade(run, instance, made, now),
      (cause: unknown): Decision =>
        (run, now) =>
          imageFailed(run, instance, toConnectorError(cause), this.#ports.random(), now),
    );
    await this.#report([decision]);
  }

  async #describe({ key, cloud }: Call, instances: readonly Instance[]): Promise<void> {
    this.#nextLook.set(key, this.#now() + lookEveryMs);
    const shown = new Set(instances.filter(({ machine }) => this.#ago(machine.launchedAt ?? 0) >= this.#clouds.listConsistencyMs(cloud)));
    try {
      const machines = await this.#clouds.describe(cloud, instances);
      this.#complaints.succeeded(key);
      await this.#consoles.show(instances.filter((instance) => hasEndedBy(machines.get(instance))));
      await this.#report(
        instances.map((instance) => (run, now) => {
          const machine = machines.get(instance);
          if (machine !== undefined) return machineFound(run, instance, machine, now);
          const visible = shown.has(instance);
          return visible ? lost(run, instance, 'the cloud does not know its machine any more', now) : [];
        }),
      );
    } catch (cause) {
      // A look that fails says nothing of the machines. Those that never call have their deadline.
      await this.#report([this.#complaint({ key, cloud }, 'describe machines', toConnectorError(cause))]);
    }
  }

  /** Ends what the ledger does not know, until the cloud shows nothing of the run any more. */
  async #sweep({ key, cloud }: Call): Promise<void> {
    const asked = this.#now();
    this.#nextLook.set(key, asked + Math.min(lookEveryMs * 2 ** this.#sweeps++, longestLookMs));
    try {
      const { found, failure } = await this.#clouds.sweep(cloud, this.#complaints.inARow(key));
      this.#complaints.succeeded(key);
      const settled = asked >= this.#finalizingAt + this.#clouds.listConsistencyMs(cloud);
      const news = `${cloud} ${found.join(' ')} ${failure !== undefined}`;
      if (found.length === 0 && settled) this.#swept.add(cloud);
      else if (found.length > 0 && !this.#told.has(news)) {
        this.#told.add(news);
        await this.#report([(_run, now) => [leftover(cloud, found, failure, now)]]);
      }
    } catch (cause) {
      const error = toConnectorError(cause);
      this.#ports.log.warn(`looking for what is left on ${cloud}: ${error.message}`);
      await this.#report([this.#complaint({ key, cloud }, 'say what is left of the run, or end it', error)]);
    }
    if (cloudsOf(this.#run).every((each) => this.#swept.has(each))) {
      await this.#report([(run) => (run.facts.swept ? [] : [{ kind: 'run', patch: { swept: true } }])]);
    }
  }

  #complaint({ key, cloud }: Pick<Call, 'key' | 'cloud'>, doing: string, error: ConnectorError): Decision {
    return (_run, now) => this.#complaints.failed(key, cloud, doing, error, now);
  }

  #report(decisions: readonly Decision[]): Promise<void> {
    return this.#stopped ? Promise.resolve() : this.#ports.report(decisions);
  }

  /** How long ago a stored time was at least: who stored it may have had another clock, and one that is ahead of it was set back. */
  #ago(stored: number): number {
    const [here, told] = [this.#now() - this.#begunAt, this.#time() - stored];
    return told < 0 ? here : Math.min(here, told);
  }

  #visibleAt(cloud: string): number {
    return this.#now() + this.#clouds.listConsistencyMs(cloud);
  }

  /** For pauses: nobody sets it, and nobody else knows it. */
  #now(): number {
    return this.#ports.clock.elapsed();
  }

  /** For what is stored. */
  #time(): number {
    return this.#ports.clock.now();
  }
}

function hasEndedBy(machine: Machine | undefined): boolean {
  return machine !== undefined && ['error', 'stopped', 'terminated'].includes(machine.state);
}

function tokenOf({ instances }: Call): string {
  return instances[0]?.machine.token ?? '';
}

function intendedWith(run: Run, token: string): Instance[] {
  return [...run.instances.values()].filter(({ machine }) => machine.status === 'intended' && machine.token === token);
}
