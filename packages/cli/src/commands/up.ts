import { setTimeout as pause } from 'node:timers/promises';
import type { Client, RunDetail } from '@paceline/api';
import { isPacelineError, PacelineError, type ResolvedDeployment } from '@paceline/model';
import { chooseClouds, endRun, followRun, namesPublished, type RunView } from '@paceline/door';
import { connectLater } from '../connection/connect-later.ts';
import { exitCodeOf, exitCodes } from '../run/exit-code.ts';
import { listenForInterrupts, type Interrupts } from '../run/interrupts.ts';
import { moduleToRun, runRequestOf, type RunOptions } from '../run/run-request.ts';
import { tellResult } from '../run/run-result.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { jsonView } from '../view/json-view.ts';
import { liveView } from '../view/live-view.ts';
import { plainView } from '../view/plain-view.ts';

export interface UpOptions extends GlobalOptions, RunOptions {
  clouds?: string;
  detach?: boolean;
  logs?: boolean;
  json?: boolean;
}

/** `paceline up`: starts a run, shows it, and leaves with a code that tells how it came out. Ctrl-C takes it down. */
export async function upCommand([file = '.']: string[], options: UpOptions, shell: Shell): Promise<number> {
  const connected = connectLater(options, shell, async () => {
    const beside = (await namesPublished(file, shell.cwd)) ? '.' : file;
    return { clouds: await chooseClouds(beside, options.clouds, shell.cwd) };
  });
  // Mistakes are found before an engine is started.
  const deployment = await moduleToRun(file, shell, connected);
  const request = await runRequestOf(deployment, options, shell.cwd);
  const course = new Course(options, shell);
  const client = await connected();
  if (course.interrupted) return exitCodes.cancelled;
  const { run } = await client.runs.create(request).catch((error: unknown) => {
    throw doubtful(error);
  });
  if (options.detach === true && !course.interrupted) {
    course.end();
    shell.stdout.write(options.json === true ? `${JSON.stringify({ type: 'result', run })}\n` : `${run.id}\n`);
    if (shell.stdout.isTTY === true)
      say(shell, `To see it: paceline status ${run.id.slice(0, 8)}; to end it: paceline down ${run.id.slice(0, 8)}`);
    return exitCodes.ok;
  }
  return course.follow(client, deployment, run);
}

/** The view that fits the reader: JSON when asked for, a tree on a terminal, lines elsewhere. */
export function viewFor(shell: Shell, json: boolean): RunView {
  if (json) return jsonView(shell);
  return shell.stdout.isTTY === true && shell.env['TERM'] !== 'dumb' ? liveView(shell) : plainView(shell);
}

const lastRequestMs = 500;

/** One run from its creation to the end of the command, with what Ctrl-C means at each moment. */
class Course {
  readonly #options: UpOptions;
  readonly #shell: Shell;
  readonly #interrupts: Interrupts;
  #ending: Promise<unknown> = Promise.resolve();
  #running: { client: Client; run: RunDetail; view: RunView } | undefined;

  constructor(options: UpOptions, shell: Shell) {
    this.#options = options;
    this.#shell = shell;
    this.#interrupts = listenForInterrupts(
      () => this.#cancel(),
      () => this.#leave(),
    );
  }

  get interrupted(): boolean {
    return this.#interrupts.asked;
  }

  end(): void {
    this.#interrupts.stop();
  }

  async follow(client: Client, deployment: ResolvedDeployment, run: RunDetail): Promise<number> {
    const json = this.#options.json === true;
    const view = viewFor(this.#shell, json);
    this.#running = { client, run, view };
    if (json) this.#shell.stdout.write(`${JSON.stringify({ type: 'run', run })}\n`);
    else if (!view.wantsDetails) say(this.#shell, `Run ${run.id} of ${run.name}`);
    view.detail(run);
    let found = run;
    try {
      if (this.interrupted) this.#cancel();
      const following = { client, run: run.id, view, logs: this.#options.logs === true, endsReady: () => !this.interrupted };
      found = await followRun(following);
      // Somebody changed their mind in the moment when the run got ready.
      if (this.interrupted && found.endedAt === null) found = await followRun({ ...following, after: found.lastEvent });
    } finally {
      view.close();
    }
    const exitCode = this.interrupted ? exitCodes.cancelled : exitCodeOf(found);
    await tellResult(client, found, { deployment, exitCode, json, shell: this.#shell, showInstances: !view.wantsDetails });
    this.end();
    return exitCode;
  }

  #cancel(): void {
    if (this.#running === undefined) return;
    const { client, run, view } = this.#running;
    view.note('The run is ended and its machines are taken down. Press Ctrl-C again to leave at once.');
    this.#ending = endRun(client, run.id).catch((error: Error) =>
      view.note(`error: ${error.message}\nhint: Try again: paceline down ${run.id}`),
    );
  }

  #leave(): void {
    if (this.#running === undefined) {
      say(this.#shell, 'Left while the run was being started: see `paceline list --active`.');
      process.exit(exitCodes.cancelled);
    }
    const { run, view } = this.#running;
    view.close();
    const id = run.id.slice(0, 8);
    say(this.#shell, `Left before the end: machines of the run may still be there. To take them down and see it done: paceline down ${id}`);
    // Two signals can come as one: the server should at least have heard of the first.
    void Promise.race([this.#ending, pause(lastRequestMs)]).then(() => process.exit(exitCodes.cancelled));
  }
}

/** An answer that got lost leaves open whether machines are being started: that must be said. */
function doubtful(error: unknown): unknown {
  if (!isPacelineError(error) || error.code !== 'PACELINE_UNREACHABLE') return error;
  return new PacelineError('PACELINE_UNREACHABLE', error.message, {
    cause: error,
    hint: 'The run may have been started all the same: look with `paceline list --active`, end it with `paceline down`.',
  });
}
