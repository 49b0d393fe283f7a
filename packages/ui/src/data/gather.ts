/** Takes items one by one and hands them on in batches, at most one per `intervalMs`, so that a flood of them is shown at once. */
export class Gather<T> {
  readonly #hand: (items: T[]) => void;
  readonly #intervalMs: number;
  #items: T[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(hand: (items: T[]) => void, intervalMs: number) {
    this.#hand = hand;
    this.#intervalMs = intervalMs;
  }

  add(item: T): void {
    this.#items.push(item);
    this.#timer ??= setTimeout(() => this.#flush(), this.#intervalMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#items = [];
  }

  #flush(): void {
    this.#timer = undefined;
    this.#hand(this.#items.splice(0));
  }
}
