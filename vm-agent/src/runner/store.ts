import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../durable.ts';
import { tried } from '../tried.ts';

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

  /** Save what is good to know after a restart but nothing depends on, if the disk has room for it. */
  note(): void {
    tried(() => this.save());
  }

  /** The engine knows of that step. */
  told(seq: number, id: string): void {
    const record = this.state.seq === seq ? this.step(id) : undefined;
    if (!record) return;
    record.told = true;
    this.note();
  }

  /** Forget the steps of the work before. The first step of the new one saves it, before it begins. */
  begin(seq: number): void {
    this.state.seq = seq;
    this.state.steps = {};
    this.note();
  }

  step(id: string): StepRecord | undefined {
    return this.state.steps[id];
  }

  /** Holds in this process even when it throws. */
  record(id: string, record: StepRecord): void {
    this.state.steps[id] = record;
    this.save();
  }
}

export function readState(folder: string): State | undefined {
  return tried(() => JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as State);
}
