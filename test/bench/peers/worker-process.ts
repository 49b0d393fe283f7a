import { fork, type ChildProcess } from 'node:child_process';
import type { Answer, Command } from './worker.ts';

/** The process that has all connections of one role to one system. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  #asked = Promise.withResolvers<Answer>();

  constructor(peer: string) {
    this.#child = fork(new URL('./worker.ts', import.meta.url), [peer], {
      execArgv: ['--conditions=@paceline/source', '--disable-warning=ExperimentalWarning'],
    });
    this.#child.on('message', (answer: Answer) => this.#asked.resolve(answer));
    this.#child.on('exit', () => this.#asked.reject(new Error(`the members of ${peer} have failed`)));
  }

  /** One question at a time. */
  ask(command: Command): Promise<Answer> {
    this.#asked = Promise.withResolvers<Answer>();
    this.#child.send(command);
    return this.#asked.promise;
  }

  stop(): void {
    this.#asked.promise.catch(() => {});
    this.#child.kill('SIGKILL');
  }
}
