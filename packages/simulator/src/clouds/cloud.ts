import {
  ConnectorError,
  type Capabilities,
  type LaunchRequest,
  type Machine,
  type OwnerQuery,
  type Resource,
  type TerminateResult,
} from '@paceline/engine/connector';
import type { Random } from '../kernel/random.ts';
import type { World } from '../world.ts';
import { described, hasVanished, isUp, type CloudMachine } from './machine.ts';

/** What the world does with machines: it boots them, and they stop. */
export interface MachineHooks {
  boot(machine: CloudMachine): void;
  reboot(machine: CloudMachine): void;
  powerOff(machine: CloudMachine): void;
}

/** Something that is made with a machine and may outlive it. */
interface Disk {
  id: string;
  machine: CloudMachine;
}

/** One cloud: its machines, and what its interface does with them at the moment when a request arrives. */
export class SimulatedCloud {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly machines = new Map<string, CloudMachine>();
  readonly disks = new Map<string, Disk>();
  readonly #world: World;
  readonly #random: Random;
  readonly #hooks: MachineHooks;
  /** Addresses come with the launch, or when the machine runs. */
  readonly #earlyAddresses: boolean;
  /** Those of one launch are asked for one after the other. */
  readonly makesOneByOne: boolean;
  /** Every machine has a disk, which may be forgotten when the machine goes. */
  readonly #hasDisks: boolean;
  /** How many of these are forgotten. */
  readonly #forgottenDisks: number;
  /** Requests that have not arrived yet. */
  pending = 0;
  /** The credential of the engines leads to another account, in which there is nothing. */
  isElsewhere = false;
  #next = 1;

  constructor(world: World, name: string, hooks: MachineHooks) {
    this.#world = world;
    this.#random = world.random.fork(`cloud ${name}`);
    this.#hooks = hooks;
    this.name = name;
    this.#earlyAddresses = this.#random.chance(0.4);
    this.#hasDisks = this.#random.chance(0.3);
    this.#forgottenDisks = world.random.fork(`disks of ${name}`).pick([0.2, 1]);
    this.makesOneByOne = world.random.fork(`turns of ${name}`).chance(0.25);
    const maxBatch = this.#random.pick([1, 2, 100, 100]);
    this.capabilities = {
      userDataBytes: 16_384,
      maxBatch,
      ...(world.random.fork(`user data of ${name}`).chance(0.4) && { sharedLaunch: { maxBatch, placeKey: 'place' } }),
      idempotency: this.#random.pick(['tag', 'tag', 'token', 'name']),
      listConsistencyMs: world.faults.has('cloud.hidden') ? this.#random.pick([2000, 10_000, 30_000]) : this.#random.pick([0, 0, 5000]),
      console: 'none',
      reach: 'direct',
      snapshot: false,
    };
  }

  /** Nothing happens here that nobody has seen yet. */
  get isQuiet(): boolean {
    const { elapsed } = this.#world.kernel;
    return this.pending === 0 && [...this.machines.values()].every(({ visibleAt, state }) => visibleAt < elapsed && state !== 'stopping');
  }

  launch(request: LaunchRequest): Machine[] {
    const { faults } = this.#world;
    if (faults.strikes('cloud.quota', 0.1)) throw new ConnectorError('quota', 'the quota is used up', { hint: 'Ask for more.' });
    if (faults.strikes('cloud.capacity', 0.1)) throw new ConnectorError('capacity', 'there is no room');
    const partial = request.machines.length > 1 && faults.strikes('cloud.partial', 0.3);
    const wanted = partial ? request.machines.slice(0, this.#random.whole(0, request.machines.length - 1)) : request.machines;
    const known = wanted.map((each) => this.#known(request.token, each));
    const shared = known.some((machine) => machine !== undefined) ? undefined : request.shared?.userData;
    const machines = wanted.map(
      (each, at) => known[at] ?? this.#start(request, shared === undefined ? each : { ...each, userData: shared }),
    );
    if (partial && this.#random.chance(0.3)) throw new ConnectorError('internal', 'it broke in the middle');
    return machines.map(described);
  }

  describe(ids: readonly string[]): Map<string, Machine> {
    return new Map(
      ids.flatMap((id) => {
        const machine = this.machines.get(id);
        return machine === undefined || this.#isHidden(machine) ? [] : [[id, described(machine)] as const];
      }),
    );
  }

  list({ engine, run, token }: OwnerQuery): Resource[] {
    const matches = ({ owner, token: own }: CloudMachine): boolean =>
      owner.engine === engine && (run === undefined || owner.run === run) && (token === undefined || own === token);
    const machines = [...this.machines.values()].filter((machine) => matches(machine) && !this.#isHidden(machine));
    const disks = [...this.disks.values()].filter(({ machine }) => matches(machine) && !this.#isHidden(machine));
    return [
      ...machines.map((machine) => resourceOf(machine, 'machine', machine.id)),
      ...disks.map(({ id, machine }) => resourceOf(machine, 'disk', id)),
    ];
  }

  terminate(ids: readonly string[]): TerminateResult[] {
    return ids.map((id) => {
      const machine = this.machines.get(id);
      if (machine === undefined || hasVanished(machine)) return { id, gone: true };
      if (this.#isHidden(machine) && this.#world.faults.strikes('cloud.forgets-hidden', 1)) {
        machine.denied = true;
        return { id, gone: true };
      }
      if (machine.state !== 'stopping') this.#end(machine);
      return { id, gone: hasVanished(machine) };
    });
  }

  remove({ id }: Resource): void {
    this.disks.delete(id);
  }

  #known(token: string, { index, name }: { index: number; name: string }): CloudMachine | undefined {
    const { idempotency } = this.capabilities;
    if (idempotency === 'tag') return undefined;
    const same = (machine: CloudMachine): boolean =>
      idempotency === 'token' ? machine.token === token && machine.index === index : machine.name === name && !hasVanished(machine);
    return [...this.machines.values()].find(same);
  }

  #start({ token, owner, expiresAt }: LaunchRequest, { index, name, userData }: LaunchRequest['machines'][number]): CloudMachine {
    const { kernel, faults, checks, trace } = this.#world;
    const number = this.#next++;
    const machine: CloudMachine = {
      id: `${this.name}-${number}`,
      index,
      name,
      token,
      owner,
      userData,
      expiresAt,
      address: `10.${this.name.charCodeAt(this.name.length - 1) % 256}.${number >> 8}.${number & 255}`,
      createdAt: new Date(kernel.now),
      visibleAt: kernel.elapsed + (faults.has('cloud.hidden') ? this.#random.between(0, this.capabilities.listConsistencyMs) : 0),
      state: 'pending',
      hasAddress: this.#earlyAddresses,
      denied: false,
    };
    this.machines.set(machine.id, machine);
    if (this.#hasDisks) this.disks.set(`disk-${machine.id}`, { id: `disk-${machine.id}`, machine });
    trace?.add(this.name, `${machine.id} is made for ${owner.node}.${index}`);
    checks.machines.launched(this, machine);
    kernel.after(this.#random.between(200, 3000), () => this.#run(machine));
    return machine;
  }

  #run(machine: CloudMachine): void {
    if (machine.state !== 'pending') return;
    const { faults, kernel } = this.#world;
    if (faults.strikes('cloud.error', 0.12)) return this.#fall(machine, 'error');
    machine.state = 'running';
    machine.hasAddress = true;
    if (faults.strikes('cloud.never-boots', 0.12)) return;
    const bootMs = faults.strikes('cloud.slow-boot', 0.15) ? this.#random.between(60_000, 700_000) : this.#random.between(2000, 12_000);
    kernel.after(bootMs, () => void (machine.state === 'running' && this.#hooks.boot(machine)));
    for (const kind of ['cloud.dies', 'cloud.stops', 'cloud.reboots'] as const) {
      if (faults.has(kind)) kernel.after(bootMs + this.#random.longTailed(60_000, 400_000), () => this.#suffer(machine, kind));
    }
  }

  #suffer(machine: CloudMachine, kind: 'cloud.dies' | 'cloud.stops' | 'cloud.reboots'): void {
    if (machine.state !== 'running' || !this.#world.faults.strikes(kind, kind === 'cloud.reboots' ? 0.5 : 0.2)) return;
    if (kind === 'cloud.reboots') this.#hooks.reboot(machine);
    else {
      this.#fall(machine, kind === 'cloud.dies' ? 'terminated' : 'stopped');
      this.#world.checks.machines.died(machine);
    }
  }

  #end(machine: CloudMachine): void {
    const { faults, kernel } = this.#world;
    this.#fall(machine, 'stopping');
    const ms = faults.strikes('cloud.slow-terminate', 0.3) ? this.#random.between(20_000, 150_000) : this.#random.longTailed(1500, 10_000);
    if (ms < 300) this.#fall(machine, 'terminated');
    else kernel.after(ms, () => this.#fall(machine, 'terminated'));
  }

  /** Out of these states no machine comes back. */
  #fall(machine: CloudMachine, state: 'error' | 'stopped' | 'stopping' | 'terminated'): void {
    const { kernel, trace } = this.#world;
    if (isUp(machine)) this.#hooks.powerOff(machine);
    machine.state = state;
    trace?.add(this.name, `${machine.id} is ${state}`);
    if (state !== 'terminated') return;
    if (!this.#random.chance(this.#forgottenDisks)) this.disks.delete(`disk-${machine.id}`);
    // Clouds go on showing what has ended for a while.
    kernel.after(this.#random.pick([0, 0, 5000, 60_000]), () => this.machines.delete(machine.id));
  }

  #isHidden(machine: CloudMachine): boolean {
    return machine.visibleAt > this.#world.kernel.elapsed && this.#world.faults.strikes('cloud.hidden', 0.8);
  }
}

function resourceOf(machine: CloudMachine, kind: 'machine' | 'disk', id: string): Resource {
  const { name, owner, token, expiresAt } = machine;
  return { kind, id, name, owner, token, expiresAt, ...(kind === 'machine' ? { machine: described(machine) } : {}) };
}
