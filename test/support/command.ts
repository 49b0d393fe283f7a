import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processesWith } from './processes.ts';
import { repository } from './system.ts';
import { until } from './until.ts';

/** The built command. */
export const paceline = join(repository, 'packages/cli/dist/paceline.mjs');

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A person at a terminal of their own: the built `paceline` command on a state directory that nobody else uses. */
export class Person {
  readonly state: string;

  private constructor(state: string) {
    this.state = state;
  }

  static async arrive(): Promise<Person> {
    return new Person(await mkdtemp(join(tmpdir(), 'paceline-person-')));
  }

  /** Types a command and waits for its end. `meanwhile` sees what it prints, and can send it signals. */
  type(args: string[], meanwhile = (_output: string, _kill: (signal: NodeJS.Signals) => void): void => {}): Promise<Finished> {
    const child = spawn(process.execPath, [paceline, ...args], {
      cwd: repository,
      env: { ...process.env, PACELINE_STATE_DIR: this.state, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const finished: Finished = { code: null, stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        finished[stream] += text;
        meanwhile(finished.stdout + finished.stderr, (signal) => child.kill(signal));
      });
    }
    return new Promise((resolve) => child.on('close', (code) => resolve({ ...finished, code })));
  }

  /** What runs on this host for this person: engines, machines, and whatever they started. */
  processes(): string[] {
    return processesWith(this.state).map(({ command }) => command);
  }

  /** Waits until nothing of this person's runs is left but, for a moment, the idle engine, and ends that. */
  async leave(): Promise<void> {
    await this.type(['engine', 'stop']);
    await until(() => {
      const left = this.processes();
      if (left.length > 0) throw new Error(`still running: ${left.join('; ')}`);
    }, 20_000);
  }
}
