import type { Assignment } from '@paceline/api/agent';
import type { Bench } from './bench.ts';
import { clearResults, stopAbandoned } from './command.ts';
import { Work } from './work.ts';

/** Does what the engine assigns: one piece of work at a time, each once. */
export class Runner {
  readonly #bench: Bench;
  #work: Work | undefined;
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** The assignment as it is now. */
  update(assignment: Assignment): void {
    if (this.#stopped || assignment.seq < (this.#work?.seq ?? -1)) return;
    if (assignment.seq === this.#work?.seq) return this.#work.update(assignment);
    const before = this.#work;
    const work = (this.#work = new Work(this.#bench, assignment));
    this.#turn = this.#turn.then(async () => {
      // The run went on without us: what we still do is of no use.
      before?.cancel();
      await before?.ended;
      if (this.#stopped) return;
      await this.#begin(assignment.seq);
      work.start();
    });
  }

  /** The process that the script under way was started as. */
  get script(): number | undefined {
    return this.#work?.script;
  }

  /** Nothing is asked of this machine now. */
  get idle(): boolean {
    return this.#work?.completed ?? false;
  }

  /** Stop what runs, with its processes. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#work?.cancel();
    await this.#work?.ended;
  }

  async #begin(seq: number): Promise<void> {
    const { store, paths, log } = this.#bench;
    if (store.state.seq === seq) return;
    try {
      const abandoned = Object.entries(store.state.steps);
      await Promise.all(abandoned.map(([id, record]) => stopAbandoned(this.#bench, store.state.seq, id, record)));
      clearResults(paths.steps);
    } catch (error) {
      log(`Work ${store.state.seq} left something behind: ${(error as Error).message}`);
    }
    store.begin(seq);
  }
}
