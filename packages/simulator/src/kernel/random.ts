import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Chance that comes from a seed: the same seed always rolls the same numbers. */
export class Random {
  readonly #seed: number;
  readonly #generator: { next(): number };

  constructor(seed: number) {
    this.#seed = mixed(seed);
    this.#generator = xoroshiro128plus(this.#seed);
  }

  /** A source of its own for one purpose, so that more rolls here do not change what is rolled there. */
  fork(purpose: string): Random {
    let hash = this.#seed;
    for (let at = 0; at < purpose.length; at++) hash = Math.imul(hash ^ purpose.charCodeAt(at), 0x01000193);
    return new Random(hash);
  }

  /** A number in [0, 1). */
  next(): number {
    return (this.#generator.next() >>> 0) / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A number in [from, to). */
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** A whole number in [from, to]. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** Mostly near the mean, now and then far above it; never more than `most`. */
  longTailed(mean: number, most: number): number {
    return Math.min(most, -mean * Math.log(1 - this.next()));
  }

  pick<T>(choices: readonly [T, ...T[]]): T;
  pick<T>(choices: readonly T[]): T | undefined;
  pick<T>(choices: readonly T[]): T | undefined {
    return choices[Math.floor(this.next() * choices.length)];
  }

  /** Hexadecimal digits. */
  hex(length: number): string {
    let text = '';
    while (text.length < length) text += (this.#generator.next() >>> 0).toString(16).padStart(8, '0');
    return text.slice(0, length);
  }

  uuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-8${this.hex(3)}-${this.hex(12)}`;
  }
}

/** Neighbouring seeds are as different as any. */
function mixed(seed: number): number {
  let value = (seed + 0x9e3779b9) | 0;
  value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
  return value ^ (value >>> 15);
}
