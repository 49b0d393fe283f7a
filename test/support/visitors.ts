import { until } from './until.ts';

/** People who ask for the same page all the time, several at once, and remember what they have been told. */
export class Visitors implements AsyncDisposable {
  readonly seen = new Set<string>();
  /** What went wrong with requests. */
  readonly lost: string[] = [];
  readonly #url: string;
  readonly #asking: Promise<void>[];
  #stopped = false;

  constructor(url: string, count: number) {
    this.#url = url;
    this.#asking = Array.from({ length: count }, () => this.#ask());
  }

  forget(): void {
    this.seen.clear();
  }

  until(check: (seen: ReadonlySet<string>) => boolean): Promise<void> {
    return until(() => {
      if (!check(this.seen)) throw new Error(`seen so far: ${[...this.seen].join(', ')}`);
    }, 60_000);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#asking);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #ask(): Promise<void> {
    while (!this.#stopped) {
      try {
        const answer = await fetch(this.#url, { signal: AbortSignal.timeout(20_000) });
        const text = (await answer.text()).trim();
        if (answer.status === 200) this.seen.add(text);
        else this.lost.push(`${answer.status} ${text}`);
      } catch (error) {
        this.lost.push(String(error));
      }
    }
  }
}
