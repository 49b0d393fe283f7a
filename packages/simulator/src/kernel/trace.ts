import { createHash } from 'node:crypto';
import type { Kernel } from './kernel.ts';

interface TraceLine {
  /** Milliseconds since the beginning. */
  at: number;
  who: string;
  what: string;
}

/** What happened, for people to read and for replays to be compared. */
export class Trace {
  readonly #lines: TraceLine[] = [];
  readonly #kernel: Kernel;
  /** Names for the ids that the engine makes of true randomness, in the order in which they were met. */
  readonly #names = new Map<string, string>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** @param name what the id is called from now on */
  name(id: string, name: string): void {
    this.#names.set(id, name);
  }

  add(who: string, what: string): void {
    this.#lines.push({ at: this.#kernel.elapsed, who, what: this.#named(what) });
  }

  /** The same for two runs of the same seed. */
  digest(): string {
    const hash = createHash('sha256');
    for (const line of this.#lines) hash.update(`${format(line)}\n`);
    return hash.digest('hex');
  }

  /** @param last the most lines */
  text(last = Number.POSITIVE_INFINITY): string {
    const left = Math.max(0, this.#lines.length - last);
    const head = left > 0 ? [`… ${left} lines before`] : [];
    return [...head, ...this.#lines.slice(left).map(format)].join('\n');
  }

  #named(text: string): string {
    return text.replaceAll(uuids, (id) => {
      let name = this.#names.get(id);
      if (name === undefined) this.#names.set(id, (name = `#${this.#names.size + 1}`));
      return name;
    });
  }
}

const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;

function format({ at, who, what }: TraceLine): string {
  return `${(at / 1000).toFixed(3).padStart(9)}  ${who.padEnd(14)} ${what}`;
}
