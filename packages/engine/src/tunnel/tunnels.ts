import type { Clock } from '../clock.ts';
import type { EngineOptions } from '../engine/engine-options.ts';
import { reachOf, type Cloud } from '../launch/clouds.ts';
import type { Instance } from '../run/instance.ts';
import { hasEnded, type Run } from '../run/run.ts';
import { troubleOf } from './trouble.ts';
import { Tunnel, type TunnelAccess } from './tunnel.ts';
import { tunnelFolder, tunnelUser } from './tunnel-setup.ts';
import { tunnelKeys } from './tunnel-keys.ts';
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
    if (open.size === 0) this.#byRun.delete(run.id);
    else this.#byRun.set(run.id, open);
  }

  /** Somebody else drives the run, or it has ended. */
  drop(run: string): void {
    for (const tunnel of this.#byRun.get(run)?.values() ?? []) tunnel.close();
    this.#byRun.delete(run);
  }

  close(): void {
    for (const run of this.#byRun.keys()) this.drop(run);
  }

  #needsTunnel({ machine }: Instance): boolean {
    if (machine.status !== 'launched' || machine.id === null || machine.address === null) return false;
    const cloud = this.#options.clouds.find(machine.cloud);
    return cloud !== undefined && reachOf(cloud) === 'tunnel';
  }

  #open(run: Run, { name, machine }: Instance): Tunnel {
    const { clouds, random = Math.random, accept, log } = this.#options;
    const { cloud, id, address, token } = machine;
    let failures = 0;
    let since = this.#clock.now();
    let last = '';
    return new Tunnel(
      {
        access: (signal) => this.#access(clouds.get(cloud), { id: id ?? '', address: address ?? '', run: run.id, name, token }, signal),
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
  async #access(
    { connector }: Cloud,
    { id, address, run, name, token }: { id: string; address: string; run: string; name: string; token: string },
    signal: AbortSignal,
  ): Promise<TunnelAccess> {
    const { log, key } = this.#options;
    const context = { signal, log, now: () => this.#clock.now() };
    if (connector.sshAccess !== undefined) {
      const { scratch, ...access } = await connector.sshAccess(id, context);
      return { ...access, folder: scratch };
    }
    const { host, client } = tunnelKeys(key, { run, instance: name, token });
    const place = await connector.sshAddress?.(id, context);
    return {
      host: place?.host ?? address,
      port: place?.port ?? sshPort,
      user: tunnelUser,
      hostKeys: [host.publicKey],
      credential: { privateKey: client.privateKey },
      folder: tunnelFolder,
    };
  }
}

/** A machine that was replaced needs another tunnel. */
function tunnelId({ name, machine }: Instance): string {
  return `${name} ${machine.id ?? ''} ${machine.address ?? ''}`;
}
