import type { Assignment, Step } from '@paceline/api/agent';
import type { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { Script } from '../machines/script.ts';
import type { Disk, ScriptExit, StepRecord } from '../machines/disk.ts';
import type { OpsQueue } from './ops-queue.ts';

export interface WorkBench {
  process: Process;
  random: Random;
  disk: Disk;
  boot: number;
  ops: OpsQueue;
  /** Begins the script of a step, or finds it. */
  script(seq: number, step: Step, attempt: number): Promise<Script | undefined>;
  /** Resolves when a script of this machine has ended. */
  scriptEnded(): Promise<void>;
  /** Sends the report of this machine. */
  report(): Promise<void>;
  /** All steps of a state have been done, as the agent sees it. */
  completing: (seq: number) => void;
}

/** One assignment, from its first step to its completion, as `vm-agent/src/runner/work.ts` does it. */
export class Work {
  readonly seq: number;
  readonly #bench: WorkBench;
  #assignment: Assignment;
  #halted = false;
  #cancelled = false;
  #completed = false;
  #script: Script | undefined;
  #immune = false;

  constructor(bench: WorkBench, assignment: Assignment) {
    this.seq = assignment.seq;
    this.#bench = bench;
    this.#assignment = assignment;
    this.update(assignment);
  }

  /** All of it has been done, and the engine knows. */
  get isDone(): boolean {
    return this.#completed;
  }

  update(assignment: Assignment): void {
    this.#assignment = assignment;
    if (assignment.abort !== null) this.#halt();
    // The engine has lost the completion: what is done is not done again, only told.
    if (this.#completed && !assignment.completed) this.start();
  }

  start(): void {
    if (this.#cancelled) return;
    this.#completed = this.#assignment.completed;
    if (!this.#completed) void this.#run();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#script?.stop();
  }

  #halt(): void {
    this.#halted = true;
    if (!this.#immune) this.#script?.stop();
  }

  async #run(): Promise<void> {
    const { ops, process, random, completing } = this.#bench;
    for (const step of this.#assignment.steps) {
      await this.#step(step);
      if (this.#cancelled) return;
      await process.sleep(random.between(1, 50));
    }
    if (this.#cancelled) return;
    completing(this.seq);
    await ops.send({ op: 'complete', seq: this.seq });
    this.#completed = true;
  }

  async #step(step: Step): Promise<void> {
    const { disk, boot, ops } = this.#bench;
    const known = disk.steps.get(step.id);
    if (known !== undefined && known.status !== 'running') {
      if (known.status === 'failed' && aborts(step)) this.#halt();
      if (known.told !== true) this.#tell(step, known);
      return;
    }
    this.#immune = step.kind === 'report' || (step.kind === 'script' && step.immune);
    let exit: ScriptExit = { status: 'stopped' };
    const attempt = this.#attemptAt(step, known);
    if (known !== undefined || this.#immune || !this.#halted) {
      if (known === undefined) void ops.send({ op: 'step', seq: this.seq, step: step.id, status: 'started' });
      exit = step.kind === 'script' ? await this.#runScript(step, attempt) : await this.#runOther(step);
    }
    if (this.#cancelled) return;
    const record: StepRecord = { attempt, boot, ...exit };
    disk.steps.set(step.id, record);
    this.#tell(step, record);
    if (exit.status === 'failed' && aborts(step)) this.#halt();
  }

  /** A step that a reboot has cut off begins anew, unless its script had come to its end. */
  #attemptAt({ id }: Step, known: StepRecord | undefined): number {
    if (known === undefined) return 1;
    const { boot, disk } = this.#bench;
    return known.boot === boot || disk.exits.has(`${this.seq} ${id} ${known.attempt}`) ? known.attempt : known.attempt + 1;
  }

  async #runScript(step: Step, attempt: number): Promise<ScriptExit> {
    const { disk, boot } = this.#bench;
    const name = `${this.seq} ${step.id} ${attempt}`;
    disk.steps.set(step.id, { status: 'running', attempt, boot });
    if (!disk.exits.has(name)) this.#script = await this.#bench.script(this.seq, step, attempt);
    if (this.#cancelled || (this.#halted && !this.#immune)) this.#script?.stop();
    for (;;) {
      const exit = disk.exits.get(name);
      if (exit !== undefined) {
        this.#script = undefined;
        return exit;
      }
      await this.#bench.scriptEnded();
    }
  }

  async #runOther(step: Step): Promise<ScriptExit> {
    const { process, random } = this.#bench;
    if (step.kind === 'report') await this.#bench.report();
    else await process.sleep(random.between(100, 5000));
    return { status: 'done' };
  }

  /** Told again after a restart unless the engine has confirmed it. */
  #tell(step: Step, { status, message }: Pick<StepRecord, 'status' | 'message'>): void {
    if (status === 'running') return;
    const { ops, disk } = this.#bench;
    const told = ops.send({ op: 'step', seq: this.seq, step: step.id, status, ...(message !== undefined && { message }) });
    void told.then(() => {
      const record = disk.seq === this.seq ? disk.steps.get(step.id) : undefined;
      if (record !== undefined) record.told = true;
    });
  }
}

function aborts(step: Step): boolean {
  return step.kind === 'packages' || (step.kind === 'script' && step.aborts);
}
