import type { Assignment, Step } from '@paceline/api/agent';
import type { Bench, Outcome } from './bench.ts';
import { tried } from '../tried.ts';
import { scriptUnderWay, sendRest } from './command.ts';
import { AgentFailure, failed } from './failure.ts';
import { aborts, immune, runStep } from './steps.ts';
import type { StepRecord } from './store.ts';

/** How long the end of a run is put off for output that is still on its way, in milliseconds. */
const lastOutput = 60_000;

/** One assignment, from its first step to its completion. */
export class Work {
  readonly seq: number;
  readonly #bench: Bench;
  #assignment: Assignment;
  /** The abort flag is up, or a step failed: only immune steps go on. */
  readonly #halted = new AbortController();
  /** Nothing goes on. */
  readonly #cancelled = new AbortController();
  /** The engine has been told of the completion and knew it. */
  #completed = false;
  /** Resolves when no step runs any more. */
  ended: Promise<void> = Promise.resolve();

  constructor(bench: Bench, assignment: Assignment) {
    this.seq = assignment.seq;
    this.#bench = bench;
    this.#assignment = assignment;
    this.update(assignment);
  }

  /** The assignment as it is now. */
  update(assignment: Assignment): void {
    this.#assignment = assignment;
    if (assignment.abort !== null) this.#halted.abort();
    // The engine has lost the completion: what is done is not done again, only told.
    if (this.#completed && !assignment.completed) this.start();
  }

  /** The process that the script under way was started as. */
  get script(): number | undefined {
    return scriptUnderWay(this.#bench, this.#assignment);
  }

  /** All that the state asks of this machine is done, and the engine knows. */
  get completed(): boolean {
    return this.#completed;
  }

  start(): void {
    if (this.#cancelled.signal.aborted) return;
    this.#completed = this.#assignment.completed;
    if (this.#completed) this.#sendRest();
    else this.ended = this.#run();
  }

  cancel(): void {
    this.#cancelled.abort();
    this.#halted.abort();
  }

  #sendRest(): void {
    for (const { id } of this.#assignment.steps) {
      const record = this.#bench.store.step(id);
      if (record) tried(() => sendRest(this.#bench, this.seq, id, record));
    }
  }

  async #run(): Promise<void> {
    const { log, ops } = this.#bench;
    for (const step of this.#assignment.steps) {
      await this.#step(step).catch((error: unknown) => this.#end(step, failed(this.#bench, step, new AgentFailure('go on', error))));
      if (this.#cancelled.signal.aborted) return;
    }
    if (this.#assignment.state === 'SendingReports') await this.#outputHome();
    if (this.#cancelled.signal.aborted) return;
    const result = await ops.send({ op: 'complete', seq: this.seq });
    if (result.status === 'error') log(`The engine did not take the completion of ${this.seq}: ${result.message}`);
    this.#completed = true;
  }

  /** After its last completion the run may end, and this machine with it. */
  async #outputHome(): Promise<void> {
    const { output, clock, log } = this.#bench;
    const home = new AbortController();
    this.#cancelled.signal.addEventListener('abort', () => home.abort(), { once: true });
    void output.drain().then(() => home.abort());
    await clock.sleep(lastOutput, home.signal);
    if (!home.signal.aborted) log(`Some output is still not home after ${lastOutput / 1000} s`);
  }

  async #step(step: Step): Promise<void> {
    const { store, ops } = this.#bench;
    const known = store.step(step.id);
    if (known && known.status !== 'running') {
      sendRest(this.#bench, this.seq, step.id, known);
      if (known.status === 'failed' && aborts(step)) this.#halted.abort();
      if (!known.told) this.#tell(step, known as Outcome);
      return;
    }
    const stop = (immune(step) ? this.#cancelled : this.#halted).signal;
    let outcome: Outcome = { status: 'stopped' };
    if (known || !stop.aborted) {
      if (!known) void ops.send({ op: 'step', seq: this.seq, step: step.id, status: 'started' });
      outcome = await runStep(this.#bench, this.seq, step, stop);
    }
    if (!this.#cancelled.signal.aborted) this.#end(step, outcome);
  }

  /** Does not throw: the engine hears of the end even when nothing can be written any more. */
  #end(step: Step, ended: Outcome): void {
    const { ops, log } = this.#bench;
    const outcome = this.#record(step, ended);
    const { status, message } = outcome;
    log(`Step ${step.id}: ${status}${message ? `, ${message}` : ''}`);
    this.#tell(step, outcome);
    if (status !== 'failed') return;
    if (aborts(step)) this.#halted.abort();
    else void ops.send({ op: 'notice', severity: step.kind === 'report' ? 'error' : 'warning', message: message! });
  }

  /** @returns the outcome that counts: what is done has failed when the next agent on this machine could not know that it is */
  #record(step: Step, outcome: Outcome): Outcome {
    const { store, bootId, log } = this.#bench;
    const { attempt = 1, report } = store.step(step.id) ?? {};
    const record: StepRecord & Outcome = { attempt, bootId, ...outcome, ...(report && { report }) };
    try {
      store.record(step.id, record);
    } catch (error) {
      const failure = new AgentFailure('record how it ended', error);
      log(`Step ${step.id}: ${failure.message}`);
      // A report may well be sent twice.
      if (outcome.status === 'done' && step.kind !== 'report') Object.assign(record, failed(this.#bench, step, failure));
      else if (outcome.message && !outcome.message.includes((error as Error).message)) record.message += `; ${failure.message}`;
    }
    return record;
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
