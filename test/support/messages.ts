import assert from 'node:assert/strict';
import type { SystemRun } from './system.ts';
import type { TestNode } from './recipes.ts';
import { until } from './until.ts';

/** A machine that takes messages one after the other for as long as it lives, and says which it has got. */
export const receiver: TestNode = {
  parameters: { odd: {}, even: {}, got: { output: true } },
  scripts: {
    deploy: `
cat > receive.sh <<'END'
#!/bin/sh
set -e
while true; do
  for box in odd even; do ss-set got "$(ss-get --timeout 0 $box)"; done
done
END
setsid sh "$PWD/receive.sh" > /dev/null 2> receive.log < /dev/null &`,
  },
};

/** Sends a receiver one message after the other, each once the one before has arrived: one that is lost stops all of them. */
export class Messages implements AsyncDisposable {
  readonly #run: SystemRun;
  readonly #to: string;
  #sent = 0;
  #arrived = 0;
  #stopping = false;
  readonly #end: Promise<unknown>;

  constructor(run: SystemRun, to: string) {
    this.#run = run;
    this.#to = to;
    // It is looked at when the sending is stopped.
    this.#end = this.#send().catch((error: unknown) => error);
  }

  get arrived(): number {
    return this.#arrived;
  }

  /** Waits for the last message. @throws when one was lost */
  async stop(): Promise<void> {
    this.#stopping = true;
    const failed = await this.#end;
    if (failed !== undefined) throw failed as Error;
    assert.equal(this.#arrived, this.#sent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.#end;
  }

  async #send(): Promise<void> {
    while (!this.#stopping) {
      const box = `${this.#to}:${this.#sent % 2 === 0 ? 'odd' : 'even'}`;
      this.#sent += 1;
      await this.#run.set(box, String(this.#sent));
      await until(async () => assert.equal(await this.#run.get(`${this.#to}:got`), String(this.#sent), `message ${this.#sent} is lost`));
      this.#arrived = this.#sent;
      await this.#run.reset(box);
    }
  }
}
