import type { SimulatedCloud } from '../clouds/cloud.ts';
import type { Replica } from '../engines/replica.ts';
import type { Random } from '../kernel/random.ts';
import type { Host } from '../machines/host.ts';
import type { World } from '../world.ts';

const roundMs = 4000;

/** Who looks after the engines and machines, and whoever wishes them ill: kills, pauses, restarts and parts them. */
export class Operator {
  readonly #world: World;
  readonly #random: Random;
  readonly #hosts: ReadonlyMap<string, Host>;
  #cancelReaping = (): void => {};

  constructor(world: World, hosts: ReadonlyMap<string, Host>) {
    this.#world = world;
    this.#random = world.random.fork('operator');
    this.#hosts = hosts;
  }

  start(): void {
    const { faults, kernel } = this.#world;
    const round = (): void => {
      if (faults.healed) return;
      for (const replica of this.#world.cluster.replicas) this.#trouble(replica);
      for (const host of this.#hosts.values()) this.#disturb(host);
      for (const cloud of this.#world.clouds) this.#confuse(cloud);
      kernel.after(this.#random.between(roundMs / 2, roundMs * 1.5), round);
    };
    kernel.after(roundMs, round);
    this.#reapLater();
  }

  stop(): void {
    this.#cancelReaping();
    for (const { process } of this.#world.cluster.replicas) process.resume();
  }

  /** Has the orphans removed by some engine that answers. */
  reap(done: () => void): void {
    const replica = this.#random.pick(this.#world.cluster.replicas.filter(({ isOpen, process }) => isOpen && process.isAwake));
    replica?.reap(({ orphans }) => {
      if (orphans.length > 0) this.#world.checks.saw('an orphan was reaped');
      this.#world.trace?.add(
        'operator',
        `${replica.process.name} has removed ${orphans.map(({ resource }) => resource.id).join() || 'nothing'}`,
      );
      done();
    });
  }

  #reapLater(): void {
    this.#cancelReaping = this.#world.kernel.after(this.#random.between(50_000, 90_000), () => {
      this.reap(() => {});
      this.#reapLater();
    });
  }

  #trouble(replica: Replica): void {
    const { faults, kernel, network, store } = this.#world;
    const { process, place } = replica;
    const until = (ms: number): number => Math.min(faults.healAt, kernel.elapsed + ms);
    if (faults.strikes('engine.kill', 0.06)) return process.kill();
    if (faults.strikes('engine.power-cut', 0.03)) return store.losePower(process);
    if (faults.strikes('engine.kill-at-effect', 0.1)) process.doom(this.#random.whole(1, 12), this.#random.pick(['before', 'after']));
    if (faults.strikes('engine.restart', 0.04)) {
      replica.close();
      kernel.after(this.#random.between(5000, 30_000), () => process.kill());
      return;
    }
    if (process.isAwake && faults.strikes('engine.pause', 0.06)) this.#pause(replica);
    if (process.isAwake && faults.strikes('engine.pause-at-effect', 0.1))
      process.afterEffect(this.#random.whole(1, 12), () => this.#pause(replica));
    if (faults.strikes('network.partition-engine', 0.05)) network.cutOff(place, until(this.#random.longTailed(15_000, 90_000)));
    if (faults.strikes('database.partition', 0.05)) {
      const part = (ms: number): void => store.cutOff(process, until(ms));
      const ms = this.#random.longTailed(12_000, 60_000);
      // Some are parted right after something was stored, whose answer is lost.
      if (this.#random.chance(0.5)) part(ms);
      else process.afterEffect(1, () => part(ms));
    }
  }

  #pause({ process }: Replica): void {
    const { faults, kernel, trace } = this.#world;
    trace?.add(process.name, 'is stopped');
    process.pause();
    // Many wake up just when others take them for dead.
    const ms = this.#random.chance(0.5) ? this.#random.between(7000, 13_000) : this.#random.longTailed(12_000, 60_000);
    const until = Math.min(faults.healAt, kernel.elapsed + ms);
    kernel.at(until, () => {
      trace?.add(process.name, 'goes on');
      process.resume();
    });
  }

  /** Credentials are mixed up, and put right again. */
  #confuse(cloud: SimulatedCloud): void {
    const { checks, faults, kernel, trace } = this.#world;
    // Who had no account yet would take the wrong one for its own.
    if (cloud.isElsewhere || !checks.machines.haveAccounts(cloud.name) || !faults.strikes('cloud.elsewhere', 0.2)) return;
    cloud.isElsewhere = true;
    trace?.add(cloud.name, 'is asked in another account');
    kernel.at(Math.min(faults.healAt, kernel.elapsed + faults.dice('cloud.elsewhere').longTailed(20_000, 120_000)), () => {
      cloud.isElsewhere = false;
      trace?.add(cloud.name, 'is asked in its account');
    });
  }

  #disturb(host: Host): void {
    if (!host.isOn) return;
    const { faults, kernel, network } = this.#world;
    const { agent, machine } = host;
    if (agent !== undefined && faults.strikes('agent.kill', 0.05)) agent.process.kill();
    else if (agent !== undefined && faults.strikes('agent.pause', 0.04)) {
      agent.process.pause();
      kernel.after(this.#random.longTailed(10_000, 120_000), () => agent.process.resume());
    }
    if (faults.strikes('network.partition-machines', 0.04))
      network.cutOff(machine.id, Math.min(faults.healAt, kernel.elapsed + this.#random.longTailed(20_000, 120_000)));
  }
}
