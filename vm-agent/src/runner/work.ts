import type { Assignment, Step } from '@paceline/api/agent';
import type { Bench, Outcome } from './bench.ts';
import { sendRest } from './command.ts';
import { aborts, immune, runStep } from './steps.ts';

/** One assignment, from its first step to its completion. */
export class Work {
  readonly seq: number;
  readonly #bench: Bench;
  readonly #assignment: Assignment;
  /** The abort flag is up, or a step failed: only immune steps go on. */
  readonly #halted = new AbortController();
  /** Nothing goes on. */
  readonly #cancelled = new AbortController();
  /** Resolves when no step runs any more. */
  ended: Promise<void> = Promise.resolve();

  constructor(bench: Bench, assignment: Assignment) {
    this.seq = assignment.seq;
    this.#bench = bench;
    this.#assignment = assignment;
  }

  start(): void {
    if (this.#cancelled.signal.aborted) return;
    if (this.#assignment.completed) return this.#sendRest();
    this.ended = this.#run().catch((error: unknown) => {
      this.#bench.log(`Work ${this.seq} broke: ${(error as Error).stack}`);
      void this.#bench.ops.send({ op: 'notice', severity: 'error', message: `The agent broke: ${(error as Error).message}` });
    });
  }

  #sendRest(): void {
    for (const { id } of this.#assignment.steps) {
      const record = this.#bench.store.step(id);
      if (record) sendRest(this.#bench, this.seq, id, record);
    }
  }

  halt(): void {
    this.#halted.abort();
  }

  cancel(): void {
    this.#cancelled.abort();
    this.#halted.abort();
  }

  async #run(): Promise<void> {
    const { log, ops } = this.#bench;
    for (const step of this.#assignment.steps) {
      await this.#step(step);
      if (this.#cancelled.signal.aborted) return;
    }
    const result = await ops.send({ op: 'complete', seq: this.seq });
    if (result.status === 'error') log(`The engine did not take the completion of ${this.seq}: ${result.message}`);
  }

  async #step(step: Step): Promise<void> {
    const { store, bootId, log } = this.#bench;
    const known = store.step(step.id);
    if (known && known.status !== 'running') {
      sendRest(this.#bench, this.seq, step.id, known);
      if (known.status === 'failed' && aborts(step)) this.halt();
      if (!known.told) this.#tell(step, known as Outcome);
      return;
    }
    const stop = (immune(step) ? this.#cancelled : this.#halted).signal;
    let outcome: Outcome = { status: 'stopped' };
    if (known || !stop.aborted) {
      if (!known) void this.#bench.ops.send({ op: 'step', seq: this.seq, step: step.id, status: 'started' });
      outcome = await runStep(this.#bench, this.seq, step, stop);
    }
    if (this.#cancelled.signal.aborted) return;
    const { attempt = 1, report } = store.step(step.id) ?? {};
    store.record(step.id, { attempt, bootId, ...outcome, ...(report && { report }) });
    log(`Step ${step.id}: ${outcome.status}${outcome.message ? `, ${outcome.message}` : ''}`);
    this.#tell(step, outcome);
    if (outcome.status !== 'failed') return;
    if (aborts(step)) this.halt();
    else void this.#bench.ops.send({ op: 'notice', severity: step.kind === 'report' ? 'error' : 'warning', message: outcome.message! });
  }

  /** Told again after a restart unless the engine has confirmed it. */
  #tell(step: Step, { status, exitCode, message }: Outcome): void {
    const { ops, store } = this.#bench;
    const told = ops.send({
      op: 'step',
      seq: this.seq,
      step: step.id,
      status,
      ...(exitCode !== undefined && { exitCode }),
      ...(message !== undefined && { message }),
    });
    void told.then((result) => {
      if (result.status !== 'error' || result.code !== 'AGENT_STOPPED') store.told(this.seq, step.id);
    });
  }
}
