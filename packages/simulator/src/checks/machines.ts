import type { LaunchRequest, OwnerQuery } from '@paceline/engine/connector';
import type { SimulatedCloud } from '../clouds/cloud.ts';
import { hasVanished, isUp, type CloudMachine } from '../clouds/machine.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Process } from '../kernel/process.ts';
import type { Checks } from './checks.ts';
import type { Instance, StoredChange, StoredRun } from './stored.ts';

/** A machine that dies under a run is noticed within this time after the last fault, in milliseconds. */
const noticeMs = 4 * 60_000;
/** A process that was asleep has noticed that within this time, in milliseconds. */
const noticingMs = 100;
/** A dropped instance's machine is ended within this time after the last fault, in milliseconds. */
const dropMs = 6 * 60_000;

/** What there is in a cloud. */
export type Inventory = Pick<SimulatedCloud, 'name' | 'machines' | 'disks'>;

/** Nothing leaks, nothing is launched twice, and nobody ends what is needed. */
export class MachineChecks {
  readonly #checks: Checks;
  readonly #kernel: Kernel;
  readonly #healAt: number;
  /** All that there ever were, by id. */
  readonly #machines = new Map<string, CloudMachine>();
  /** The ids of machines, by the hashes of their agents' keys. */
  readonly #byKey = new Map<string, string>();
  /** Since when runs have been in Finalizing, in milliseconds since 1970. */
  readonly #finalizing = new Map<string, number>();
  /** When a process last heard what became of a launch, by its token and the number of the instance, in milliseconds since 1970. */
  readonly #answered = new Map<Process, Map<string, number>>();
  /** When a process last looked for the machines of a token, in milliseconds since the beginning. */
  readonly #lookedUp = new Map<Process, Map<string, number>>();

  constructor(checks: Checks, kernel: Kernel, healAt: number) {
    this.#checks = checks;
    this.#kernel = kernel;
    this.#healAt = healAt;
  }

  /** A process asks for machines. */
  launching(process: Process, cloud: Inventory, { owner, token, machines }: LaunchRequest): void {
    const run = this.#checks.runOf(owner.run);
    for (const { index } of machines) {
      const instance = run?.instances.get(`${owner.node}.${index}`);
      if (run === undefined || instance?.machine.token !== token || instance.machine.status === 'wanted') {
        return this.#checks.fail('no machine without a stored intent', `${owner.node}.${index} of ${owner.run} on ${cloud.name}`);
      }
      if (run.owner !== process)
        this.#checks.fail('two replicas never act for one run', `${process.name} launches ${instance.name} of ${run.id}`);
      if (run.facts.outcome !== null) this.#checks.fail('nothing is launched for a run that ends', `${instance.name} of ${run.id}`);
      this.#checkDouble(process, cloud, token, index, instance);
    }
  }

  /** A process hears what has become of a launch, or that nobody knows. */
  answered(process: Process, { token, machines }: Pick<LaunchRequest, 'token' | 'machines'>): void {
    let answered = this.#answered.get(process);
    if (answered === undefined) this.#answered.set(process, (answered = new Map<string, number>()));
    for (const { index } of machines) answered.set(`${token} ${index}`, this.#kernel.now);
  }

  /** A process asks for machines with a credential that leads to another account than that of the run. */
  launchingElsewhere(cloud: Inventory, { owner }: Pick<LaunchRequest, 'owner'>): void {
    this.#checks.fail('a run has its machines in one account of a cloud', `${owner.node} of ${owner.run} on ${cloud.name}`);
  }

  /** Every run has its account on a cloud by now, or has nothing to look for there. */
  haveAccounts(cloud: string): boolean {
    return [...this.#checks.expected].every((id) => {
      const run = this.#checks.runOf(id);
      if (run === undefined) return false;
      const nodes = Object.values(run.plan.nodes);
      const may = nodes.flatMap(({ cloud, shares = [], elsewhere = [] }) => [cloud, ...shares.map((share) => share.cloud), ...elsewhere]);
      return run.facts.endedAt !== null || run.facts.accounts[cloud] !== undefined || !may.includes(cloud);
    });
  }

  /** A process asks for the next machine of a launch. One that was asleep until a moment ago has had no time to notice anything. */
  goingOn(process: Process, { owner }: Pick<LaunchRequest, 'owner'>): void {
    const run = this.#checks.runOf(owner.run);
    if (run?.facts.endedAt === null && run.owner !== process && process.awakeMs > noticingMs)
      this.#checks.fail('two replicas never act for one run', `${process.name} goes on with launching ${owner.node} of ${run.id}`);
  }

  /** A list is made for a process. */
  listed(process: Process, { run, token }: OwnerQuery, found: number): void {
    if (token !== undefined && found > 0) this.#checks.saw('a look-up found machines');
    let looked = this.#lookedUp.get(process);
    if (looked === undefined) this.#lookedUp.set(process, (looked = new Map<string, number>()));
    // What was looked for by its token is not looked for because somebody lists everything.
    for (const each of this.#tokensOf(run)) if (!looked.has(each) || each === token) looked.set(each, this.#kernel.elapsed);
  }

  /** A process asks for the end of machines. */
  terminating(process: Process, cloud: Inventory, ids: readonly string[]): void {
    for (const id of ids) {
      const machine = this.#machines.get(id);
      const run = machine && this.#checks.runOf(machine.owner.run);
      const instance = run && [...run.instances.values()].find((each) => each.machine.id === id);
      if (run === undefined || instance === undefined || instance.dropped || run.facts.outcome !== null) continue;
      this.#checks.fail('nobody ends a machine that is needed', `${process.name} ends ${id} of ${instance.name} on ${cloud.name}`);
    }
  }

  /** The agent of a machine has made itself a key. */
  keyed(id: string, keyHash: string): void {
    this.#byKey.set(keyHash, id);
  }

  /** A machine has stopped, and nobody has asked for that. */
  died({ id, owner, index }: CloudMachine): void {
    const name = `${owner.node}.${index}`;
    this.#later(noticeMs, () => {
      const run = this.#checks.runOf(owner.run);
      const instance = run?.instances.get(name);
      if (run === undefined || instance === undefined || instance.machine.id !== id || run.facts.outcome !== null || instance.dropped)
        return;
      // A twin that was not let in is missed by nobody.
      if (instance.keyHash === null || this.#byKey.get(instance.keyHash) !== id) return;
      if (instance.machine.status === 'launched' && instance.machine.cloudState !== 'lost')
        this.#checks.fail('a machine that dies is noticed', `${id} of ${name} in ${run.id}`);
    });
  }

  /** A machine has been made. */
  launched(cloud: Inventory, machine: CloudMachine): void {
    this.#machines.set(machine.id, machine);
    const facts = this.#checks.runOf(machine.owner.run)?.facts;
    if (facts?.endedAt !== null) this.#checks.saw('a machine was made for a run that had ended');
    const isTwin = (other: CloudMachine): boolean => other !== machine && other.token === machine.token && other.index === machine.index;
    if ([...cloud.machines.values()].some((other) => isTwin(other) && isUp(other))) this.#checks.saw('a launch was made twice');
  }

  stored({ run, instances, before }: StoredChange): void {
    if (before !== undefined && run.facts.endedAt !== null && before.endedAt === null) this.#checkEnd(run);
    else if (before?.state !== 'Finalizing' && run.facts.state === 'Finalizing') this.#finalizing.set(run.id, this.#kernel.now);
    for (const [name, before] of instances) {
      const instance = run.instances.get(name);
      if (instance === undefined || before === undefined) continue;
      this.#checkStatus(run, instance, before);
      if (instance.machine.cloudState === 'lost' && before.machine.cloudState !== 'lost') this.#checkLost(run, instance);
      if (instance.dropped && !before.dropped) this.#expectEnd(run, name);
      this.#checkFacts(run, instance);
    }
  }

  /** Nothing is left to happen: whatever is still there stays. */
  finish(clouds: readonly Inventory[]): void {
    for (const cloud of clouds) {
      for (const machine of cloud.machines.values()) {
        if (!hasVanished(machine) && machine.state !== 'stopping')
          this.#checks.fail('no machine is left', `${machine.id} of ${machine.owner.run}`);
      }
      for (const { id, machine } of cloud.disks.values()) {
        if (machine.state !== 'stopping') this.#checks.fail('no disk is left', `${id} of ${machine.owner.run}`);
      }
    }
  }

  /** Whether anything is left that somebody has to end. */
  isClean(clouds: readonly Inventory[]): boolean {
    return clouds.every((cloud) => [...cloud.machines.values()].every(hasVanished) && cloud.disks.size === 0);
  }

  /** Of one run, or of all. */
  #tokensOf(id: string | undefined): string[] {
    const runs = [...this.#checks.stored.runs.values()].filter((run) => id === undefined || run.id === id);
    return runs.flatMap(({ instances }) => [...instances.values()].map(({ machine }) => machine.token));
  }

  #checkDouble(process: Process, cloud: Inventory, token: string, index: number, { name }: Instance): void {
    const lookedAt = this.#lookedUp.get(process)?.get(token) ?? this.#kernel.elapsed;
    const answeredAt = this.#answered.get(process)?.get(`${token} ${index}`) ?? 0;
    for (const machine of cloud.machines.values()) {
      if (machine.token !== token || machine.index !== index || hasVanished(machine)) continue;
      if (machine.visibleAt < lookedAt) this.#checks.fail('nothing is launched again without a look', `${name} is there: ${machine.id}`);
      // What was made before its launch came to an end is shown by now, as long as that may take.
      if (machine.createdAt.getTime() < answeredAt)
        this.#checks.fail('a look comes when a cloud shows everything', `${name} was there before the launch ended: ${machine.id}`);
    }
  }

  #checkStatus(run: StoredRun, { name, machine }: Instance, { machine: before }: Instance): void {
    const order = ['wanted', 'intended', 'launched', 'terminating', 'gone'];
    if (order.indexOf(machine.status) < order.indexOf(before.status))
      this.#checks.fail('the ledger goes one way', `${name} of ${run.id} from ${before.status} to ${machine.status}`);
    if (machine.status !== 'gone' || before.status === 'gone' || machine.id === null) return;
    const real = this.#machines.get(machine.id);
    if (real !== undefined && !hasVanished(real) && !real.denied)
      this.#checks.fail('a machine is called gone only when it is', `${machine.id} of ${name} is ${real.state}`);
  }

  /** By then its clouds have been asked often enough to have shown everything that was made before its machines were to go. */
  #checkEnd(run: StoredRun): void {
    const since = this.#finalizing.get(run.id) ?? 0;
    for (const machine of this.#machines.values()) {
      if (machine.owner.run === run.id && machine.createdAt.getTime() < since && isUp(machine))
        this.#checks.fail('a run ends when its machines have', `${machine.id} of ${run.id} is ${machine.state}`);
    }
  }

  /** What scripts are told of their machine is true. */
  #checkFacts({ id: run, parameters }: StoredRun, { name, machine }: Instance): void {
    const real = machine.id === null ? undefined : this.#machines.get(machine.id);
    const told = [parameters.get(`${name}:instanceid`)?.value, parameters.get(`${name}:hostname`)?.value];
    const expected = [real?.id, machine.address === null ? undefined : real?.address];
    if (told.join() !== expected.join())
      this.#checks.fail('parameters say what machine it is', `${name} of ${run}: ${told.join()}, not ${expected.join()}`);
  }

  #checkLost(run: StoredRun, { name, machine }: Instance): void {
    const real = machine.id === null ? undefined : this.#machines.get(machine.id);
    if (real !== undefined && isUp(real))
      this.#checks.fail('a machine is called lost only when it is', `${real.id} of ${name} in ${run.id}`);
  }

  /** @param ms after the last fault at the earliest */
  #later(ms: number, act: () => void): void {
    this.#kernel.at(Math.max(this.#kernel.elapsed, this.#healAt) + ms, act);
  }

  #expectEnd(run: StoredRun, name: string): void {
    this.#later(dropMs, () => {
      const { id } = run.instances.get(name)?.machine ?? {};
      const real = id === undefined || id === null ? undefined : this.#machines.get(id);
      if (real !== undefined && isUp(real) && !real.denied)
        this.#checks.fail('the machine of a dropped instance is ended', `${real.id} of ${name}`);
    });
  }
}
