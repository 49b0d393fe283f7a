import type { Clock } from '../clock.ts';
import type { EngineOptions } from '../engine/engine-options.ts';
import { givesTunnelKeys, reachOf, type Cloud } from '../launch/clouds.ts';
import type { Instance } from '../run/instance.ts';
import { hasEnded, type Run } from '../run/run.ts';
import { troubleOf } from './trouble.ts';
import { Tunnel, type TunnelAccess } from './tunnel.ts';
import { tunnelFolder, tunnelUser } from './tunnel-setup.ts';
import { hostKeysOf, tunnelKeys } from './tunnel-keys.ts';
import { turns } from '../ssh/turns.ts';

type Options = Pick<EngineOptions, 'clouds' | 'log' | 'key' | 'random' | 'accept'>;
/** Hears why a machine of a run cannot be reached, or that it is. */
type Reached = (run: string, instance: string, trouble: string | undefined) => void;

/** Handshakes at a time: each is some milliseconds of computing, and all run on one thread. */
const handshakes = 16;
const sshPort = 22;
/** Failures for so long, in milliseconds, may be those of a machine that boots; people are told then. */
const bootsMs = 45_000;

/**
 * The tunnels to all machines that cannot reach this engine: it comes to them by SSH, and lets a socket of theirs lead to itself.
 * Level-triggered: told what a run is like now, it opens and closes what is needed.
 */
export class Tunnels {
  readonly #options: Options;
  readonly #clock: Clock;
  readonly #reached: Reached;
  readonly #byRun = new Map<string, Map<string, Tunnel>>();
  /** As they are now. */
  readonly #runs = new Map<string, Run>();
  readonly #inTurn = turns(handshakes);

  constructor(options: Options, clock: Clock, reached: Reached) {
    this.#options = options;
    this.#clock = clock;
    this.#reached = reached;
  }

  /** Opens the tunnels that a run needs now, and closes the others. */
  keep(run: Run): void {
    const wanted = hasEnded(run) ? [] : [...run.instances.values()].filter((instance) => this.#needsTunnel(instance));
    const open = this.#byRun.get(run.id) ?? new Map<string, Tunnel>();
    const ids = new Set(wanted.map(tunnelId));
    for (const [id, tunnel] of open) {
      if (ids.has(id)) continue;
      tunnel.close();
      open.delete(id);
    }
    for (const instance of wanted) {
      const id = tunnelId(instance);
      if (!open.has(id)) open.set(id, this.#open(run, instance));
    }
    if (open.size === 0) return this.drop(run.id);
    this.#byRun.set(run.id, open);
    this.#runs.set(run.id, run);
  }

  /** What a machine is told when it joins: the key that its SSH server has to use, if it has got one from here. */
  greeting(run: string, instance: Instance): { hostKey?: string } {
    const { clouds, key } = this.#options;
    const { cloud, token } = instance.machine;
    const configured = clouds.find(cloud);
    if (configured === undefined || !givesTunnelKeys(configured)) return {};
    return { hostKey: tunnelKeys(key, { run, instance: instance.name, token }).lastingHost.privateKey };
  }

  /** Somebody else drives the run, or it has ended. */
  drop(run: string): void {
    for (const tunnel of this.#byRun.get(run)?.values() ?? []) tunnel.close();
    this.#byRun.delete(run);
    this.#runs.delete(run);
  }

  close(): void {
    for (const run of this.#byRun.keys()) this.drop(run);
  }

  #needsTunnel({ machine }: Instance): boolean {
    if (machine.status !== 'launched' || machine.id === null || machine.address === null) return false;
    const cloud = this.#options.clouds.find(machine.cloud);
    return cloud !== undefined && reachOf(cloud) === 'tunnel';
  }

  #open(run: Run, instance: Instance): Tunnel {
    const { clouds, random = Math.random, accept, log } = this.#options;
    const { name, machine } = instance;
    const cloud = clouds.get(machine.cloud);
    let failures = 0;
    let since = this.#clock.now();
    let last = '';
    return new Tunnel(
      {
        access: (signal) => this.#access(cloud, run.id, this.#runs.get(run.id)?.instances.get(name) ?? instance, signal),
      },
      {
        clock: this.#clock,
        random,
        accept: (channel) => (accept === undefined ? channel.destroy() : accept(channel)),
        inTurn: this.#inTurn,
        open: async (access, signal) => (await import('../ssh/session.ts')).openSession(access, signal),
        changed: (failure) => {
          if (failure === undefined) {
            if (failures > 0) log.info(`the tunnel to ${name} of run ${run.id} is up after ${failures} failed attempts`);
            failures = 0;
            last = '';
            return this.#reached(run.id, name, undefined);
          }
          if (failures === 0) since = this.#clock.now();
          failures += 1;
          if (failure.message !== last) log.warn(`the tunnel to ${name} of run ${run.id}: ${failure.message}`);
          last = failure.message;
          const { text, isDecisive } = troubleOf(failure);
          // Once may be chance.
          if (failures > 1 && (isDecisive || this.#clock.now() - since >= bootsMs)) this.#reached(run.id, name, text);
        },
      },
    );
  }

  /** A connector may know better. Otherwise the machine has got its keys from its user data. */
  async #access({ connector }: Cloud, run: string, instance: Instance, signal: AbortSignal): Promise<TunnelAccess> {
    const { id, address } = instance.machine;
    if (id === null || address === null) throw new Error('There is no machine now');
    const { log, key } = this.#options;
    const context = { signal, log, now: () => this.#clock.now() };
    if (connector.sshAccess !== undefined) {
      const { scratch, ...access } = await connector.sshAccess(id, context);
      return { ...access, folder: scratch };
    }
    const { client } = tunnelKeys(key, { run, instance: instance.name, token: instance.machine.token });
    const place = await connector.sshAddress?.(id, context);
    return {
      host: place?.host ?? address,
      port: place?.port ?? sshPort,
      user: tunnelUser,
      hostKeys: hostKeysOf(key, run, instance),
      credential: { privateKey: client.privateKey },
      folder: tunnelFolder,
    };
  }
}

/** A machine that was replaced needs another tunnel. */
function tunnelId({ name, machine }: Instance): string {
  return `${name} ${machine.id ?? ''} ${machine.address ?? ''}`;
}
