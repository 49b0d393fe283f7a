import { isClosed, type ClosedCloud, type ConfiguredCloud } from '@paceline/engine';
import { ConnectorError } from '@paceline/engine/connector';
import { toError } from '@paceline/model';
import type { CloudEntry, CloudsSource } from './clouds-file.ts';
import { openCloud, reasonOf } from './open-clouds.ts';

export interface CloudWatchOptions {
  /** What the clouds are read from, as it was when they were opened. */
  source: CloudsSource;
  /** Reads it anew. @default what is added to it is not looked for */
  read?: () => Promise<CloudsSource>;
  /** What came of opening them. */
  clouds: readonly ConfiguredCloud[];
  /** Folder of the program. */
  program: string;
  /** Told of each cloud that has come, and of each that is there by now and closed. */
  set(cloud: ConfiguredCloud): void;
  log: { info(message: string): void; warn(message: string): void };
}

const lookEveryMs = 10_000;
const firstPauseMs = 15_000;
const longestPauseMs = 5 * 60_000;

interface Closed {
  entry: CloudEntry;
  /** In a row. */
  failures: number;
  notBefore: number;
}

/** Opens what could not be opened, again and again, and what is added to the file of clouds, while the engine runs. */
export class CloudWatch {
  readonly #options: CloudWatchOptions;
  readonly #closed = new Map<string, Closed>();
  /** As they were opened, or tried last, by name. */
  readonly #known: Map<string, string>;
  #source: CloudsSource;
  #timer: NodeJS.Timeout | undefined;
  #complaint = '';

  constructor(options: CloudWatchOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#known = new Map(options.source.entries.map((entry) => [entry.name, JSON.stringify(entry)]));
    for (const cloud of options.clouds.filter(isClosed)) this.#failed(cloud);
  }

  /** Looks every ten seconds from now on. */
  start(): void {
    this.#timer = setTimeout(() => void this.look(Date.now()).finally(() => this.#timer && this.start()), lookEveryMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Does what is due. @param now in milliseconds */
  async look(now: number): Promise<void> {
    await this.#read();
    const due = [...this.#closed.values()].filter(({ notBefore }) => notBefore <= now);
    await Promise.all(due.map(({ entry }) => this.#open(entry, now)));
  }

  async #read(): Promise<void> {
    const { read, log } = this.#options;
    if (read === undefined) return;
    try {
      const source = await read();
      this.#complaint = '';
      if (source.digest === this.#source.digest) return;
      this.#source = source;
      for (const entry of source.entries) this.#compare(entry);
      this.#forget(source);
    } catch (error) {
      const { message } = toError(error);
      if (message !== this.#complaint) log.warn(`${message}. The clouds stay as they are.`);
      this.#complaint = message;
    }
  }

  /** What is open stays as it is: runs have their machines there. */
  #compare(entry: CloudEntry): void {
    const text = JSON.stringify(entry);
    if (this.#known.get(entry.name) === text) return;
    const isOpen = this.#known.has(entry.name) && !this.#closed.has(entry.name);
    if (isOpen) this.#options.log.warn(`The cloud ${entry.name} has changed: it is taken as it was until the server starts again`);
    else this.#closed.set(entry.name, { entry, failures: 0, notBefore: 0 });
    this.#known.set(entry.name, text);
  }

  /** What is open stays, though it is not in the file any more. What is closed is not tried again, unless it is added again. */
  #forget({ file, entries }: CloudsSource): void {
    const { log } = this.#options;
    const names = new Set(entries.map(({ name }) => name));
    const gone = [...this.#known.keys()].filter((name) => !names.has(name));
    const where = file ?? 'the default';
    const open = gone.filter((name) => !this.#closed.has(name));
    if (open.length > 0) log.warn(`Not in ${where} any more: ${open.join(', ')}. They stay until the server starts again`);
    for (const name of gone) {
      const closed = this.#closed.get(name);
      if (closed === undefined) continue;
      this.#closed.delete(name);
      this.#known.delete(name);
      const why = new ConnectorError('unavailable', `The cloud ${name} is not in ${where} any more`, {
        hint: 'It is opened when it is added again.',
      });
      this.#options.set({ name, connector: closed.entry.connector, why });
      log.warn(`${why.message}, and not tried again`);
    }
  }

  async #open(entry: CloudEntry, now: number): Promise<void> {
    const { program, log } = this.#options;
    try {
      const cloud = await openCloud(entry, this.#source, program);
      this.#closed.delete(entry.name);
      this.#options.set(cloud);
      log.info(`The cloud ${entry.name} is open`);
    } catch (error) {
      const closed = { name: entry.name, connector: entry.connector, why: reasonOf(error) };
      this.#options.set(closed);
      this.#failed(closed, now);
    }
  }

  #failed({ name, why }: ClosedCloud, now = Date.now()): void {
    const entry = this.#source.entries.find((each) => each.name === name);
    if (entry === undefined) return;
    const { failures = 0 } = this.#closed.get(name) ?? {};
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
    this.#closed.set(name, { entry, failures: failures + 1, notBefore: now + pauseMs });
    this.#options.log.warn(`${why.message}. No run can use it; it is tried again in ${pauseMs / 1000} s.`);
  }
}
