import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../durable.ts';

export type StepStatus = 'running' | 'done' | 'failed' | 'stopped';

/** What is known of one step, so that no agent does it a second time. */
export interface StepRecord {
  status: StepStatus;
  /** Grows when the machine boots in the middle of a step and the step begins anew. */
  attempt: number;
  bootId: string;
  startTime?: string | undefined;
  exitCode?: number | undefined;
  message?: string | undefined;
  /** The engine has confirmed that it knows. */
  told?: boolean;
  /** Of a report step: the file, once it is complete. */
  report?: { name: string; size: number; sha256: string };
}

export interface State {
  run: string;
  instance: string;
  seq: number;
  steps: Record<string, StepRecord>;
  /** Sessions of scripts that have ended; daemons may live on in them. */
  sessions: number[];
  lastReport?: string;
  /** Why this instance is over. */
  left?: string;
}

/** `state.json`: read once, written whole before anything depends on it. */
export class Store {
  readonly #file: string;
  readonly #survives: boolean;
  readonly state: State;

  /** @param survives whether the machine is one of its own, which goes on after a crash of its host */
  constructor(folder: string, run: string, instance: string, survives: boolean) {
    this.#survives = survives;
    this.#file = join(folder, 'state.json');
    this.state = { run, instance, seq: -1, steps: {}, sessions: [], ...readState(folder) };
  }

  save(): void {
    writeDurably(this.#file, JSON.stringify(this.state), this.#survives);
  }

  /** The engine knows of that step: worth a note, but not a wait for the disk. */
  told(seq: number, id: string): void {
    const record = this.state.seq === seq ? this.step(id) : undefined;
    if (!record) return;
    record.told = true;
    writeFileSync(`${this.#file}.told`, JSON.stringify(this.state), { mode: 0o600 });
    renameSync(`${this.#file}.told`, this.#file);
  }

  /** Forget the steps of the work before. */
  begin(seq: number): void {
    this.state.seq = seq;
    this.state.steps = {};
    this.save();
  }

  step(id: string): StepRecord | undefined {
    return this.state.steps[id];
  }

  record(id: string, record: StepRecord): StepRecord {
    this.state.steps[id] = record;
    this.save();
    return record;
  }
}

export function readState(folder: string): State | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as State;
  } catch {
    return undefined;
  }
}
