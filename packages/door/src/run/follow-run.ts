import type { Client, EventView, RunDetail } from '@paceline/api';
import type { RunView } from '../view/run-view.ts';

export interface FollowRunOptions {
  client: Client;
  run: string;
  view: RunView;
  /** The last event that is known already. */
  after?: number;
  /** Show what scripts write, too. */
  logs?: boolean;
  /** Stops following; the run goes on. */
  signal?: AbortSignal;
  /** Asked when the run is ready and stays so: whether that is what is waited for. */
  endsReady(): boolean;
}

const refreshMs = 250;
/** What an instance waits for changes without an event. */
const lookMs = 1000;
const noteMs = 10_000;

/**
 * Shows a run until it has ended, or is ready and stays so if that is enough.
 * @returns the run as it is then
 */
export async function followRun(options: FollowRunOptions): Promise<RunDetail> {
  const { client, run, view, after = 0 } = options;
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  const details = view.wantsDetails ? new Details(options) : undefined;
  const logs = options.logs === true ? new Logs(options, signal) : undefined;
  try {
    for await (const event of client.followEvents(run, { after, signal, onCut: cutNote(view) })) {
      view.event(event);
      details?.look();
      if (!isReady(event) || !options.endsReady()) continue;
      const found = await client.runs.get(run);
      if (found.state !== 'Ready' || found.outcome !== null) continue;
      await logs?.rest();
      return found;
    }
    await logs?.rest();
    return await client.runs.get(run);
  } finally {
    stop.abort();
    await details?.stop();
  }
}

function isReady({ type, data }: EventView): boolean {
  return type === 'run.state' && data['state'] === 'Ready';
}

function cutNote(view: RunView): () => void {
  let noted = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - noted < noteMs) return;
    noted = performance.now();
    view.note('The link to the server was cut; the run goes on, and so does this command as soon as the server answers.');
  };
}

/** Keeps the details in the view fresh, but asks for them no more often than needed. */
class Details {
  readonly #options: FollowRunOptions;
  readonly #clock: NodeJS.Timeout;
  #last = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: FollowRunOptions) {
    this.#options = options;
    this.#clock = setInterval(() => this.look(), lookMs);
    this.look();
  }

  look(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => void (this.#asking = this.#ask()), Math.max(0, this.#last + refreshMs - performance.now()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#clock);
    clearTimeout(this.#timer);
    await this.#asking;
    await this.#ask();
  }

  async #ask(): Promise<void> {
    const { client, run, view } = this.#options;
    // The stream of events tells when the server is away for good.
    const found = await client.runs.get(run).catch(() => undefined);
    this.#last = performance.now();
    this.#timer = undefined;
    if (found !== undefined) view.detail(found);
  }
}

/** Follows what scripts write, beside the events. */
class Logs {
  readonly #options: FollowRunOptions;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  #last = 0;

  constructor(options: FollowRunOptions, signal: AbortSignal) {
    this.#options = options;
    signal.addEventListener('abort', () => this.#stop.abort());
    this.#following = this.#follow();
    this.#following.catch(() => {});
  }

  /** Shows what is there that has not been shown yet. */
  async rest(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    const { client, run, view } = this.#options;
    for (;;) {
      const page = await client.logs(run, { after: this.#last, limit: 1000 });
      for (const piece of page) view.log(piece);
      if (page.length === 0) return;
      this.#last = page.at(-1)?.seq ?? this.#last;
    }
  }

  async #follow(): Promise<void> {
    const { client, run, view } = this.#options;
    for await (const piece of client.followLogs(run, { signal: this.#stop.signal })) {
      this.#last = piece.seq;
      view.log(piece);
    }
  }
}
