import type { Kernel } from '../kernel/kernel.ts';
import type { Random } from '../kernel/random.ts';
import type { Trace } from '../kernel/trace.ts';
import { faultKinds, type FaultKind } from './kinds.ts';

/** Which kinds of faults a seed has, and how often each strikes compared with usual. */
export type FaultMix = ReadonlyMap<FaultKind, number>;

/** Decides at each occasion whether something goes wrong. Every kind rolls its own dice: without one, the others stay as they are. */
export class Faults {
  readonly mix: FaultMix;
  /** From when on nothing goes wrong any more, in milliseconds since the beginning. */
  healAt: number;
  /** How often each kind has struck. */
  readonly counts = new Map<FaultKind, number>();
  readonly #kernel: Kernel;
  readonly #trace: Trace | undefined;
  readonly #dice = new Map<FaultKind, Random>();

  constructor(kernel: Kernel, random: Random, mix: FaultMix, healAt: number, trace: Trace | undefined) {
    this.#kernel = kernel;
    this.#trace = trace;
    this.mix = mix;
    this.healAt = healAt;
    for (const kind of mix.keys()) this.#dice.set(kind, random.fork(kind));
  }

  get healed(): boolean {
    return this.#kernel.elapsed >= this.healAt;
  }

  /** Nothing goes wrong from now on. */
  heal(): void {
    this.healAt = Math.min(this.healAt, this.#kernel.elapsed);
  }

  has(kind: FaultKind): boolean {
    return this.mix.has(kind);
  }

  /** @param chance how often it usually strikes at such an occasion */
  strikes(kind: FaultKind, chance: number): boolean {
    const rate = this.mix.get(kind);
    if (rate === undefined || this.healed || this.#dice.get(kind)?.chance(chance * rate) !== true) return false;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#trace?.add('fault', kind);
    return true;
  }

  /** The dice of one kind, for how it strikes. */
  dice(kind: FaultKind): Random {
    const dice = this.#dice.get(kind);
    if (dice === undefined) throw new Error(`the seed has no ${kind}`);
    return dice;
  }
}

/** Kinds that make trouble together. */
const themes: readonly RegExp[] = [
  /^engine|^database.(partition|unknown|gap)|^agent.kill/,
  /^cloud/,
  /^network|^agent/,
  /^database|^engine.kill/,
  /^people|^engine.kill|^network.delay/,
];

/** Whether the seed is about processes that take over from each other. */
export type Mix = { kinds: Map<FaultKind, number>; takeover: boolean };

/**
 * Some of all kinds: a few in most seeds, none in some and many in some, so that rare meetings of two are not lost in the noise.
 * Most seeds have a theme.
 */
export function chooseFaults(random: Random): Mix {
  const theme = random.chance(0.6) ? random.pick(themes) : undefined;
  const share = random.pick([0, 0.06, 0.12, 0.12, 0.25, 0.25, 0.5]);
  const kinds = new Map<FaultKind, number>();
  for (const kind of faultKinds) {
    const rate = random.pick([0.3, 1, 1, 3]);
    const chance = theme === undefined ? share : theme.test(kind) ? 0.5 : 0.04;
    if (random.chance(chance)) kinds.set(kind, rate);
  }
  return { kinds, takeover: theme === themes[0] };
}
