import type { Database } from '@paceline/engine';
import type { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { World } from '../world.ts';

type Listener = Parameters<Database['listen']>[0];

interface Subscription {
  process: Process;
  listener: Listener;
  /** When the last message arrives: none overtakes another. */
  lastAt: number;
  /** The connection is lost for so long, in milliseconds since the beginning. */
  lostUntil: number;
}

/** What the processes of a shared database tell each other. */
export class Notifications {
  readonly #world: World;
  readonly #random: Random;
  readonly #subscriptions = new Set<Subscription>();

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork('notifications');
  }

  async listen(process: Process, listener: Listener): Promise<() => Promise<void>> {
    await process.sleep(1);
    const subscription = { process, listener, lastAt: 0, lostUntil: 0 };
    this.#subscriptions.add(subscription);
    process.onDeath(() => this.#subscriptions.delete(subscription));
    return async () => void this.#subscriptions.delete(subscription);
  }

  tell(payload: string): void {
    const { kernel, faults } = this.#world;
    for (const subscription of this.#subscriptions) {
      const { process, listener } = subscription;
      if (kernel.elapsed < subscription.lostUntil) continue;
      if (faults.strikes('database.gap', 0.05)) {
        this.#lose(subscription);
        continue;
      }
      subscription.lastAt = Math.max(subscription.lastAt, kernel.elapsed + this.#random.longTailed(2, 50));
      kernel.at(subscription.lastAt, () => process.enter(() => listener.message(payload)));
    }
  }

  #lose(subscription: Subscription): void {
    const { kernel } = this.#world;
    const ms = this.#random.between(100, 5000);
    subscription.lostUntil = kernel.elapsed + ms;
    kernel.after(ms, () => subscription.process.enter(() => subscription.listener.gap()));
  }
}
