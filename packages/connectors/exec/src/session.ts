import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { Socket } from 'node:net';
import { ConnectorError, type ConnectorLog } from '@paceline/engine/connector';
import { LineReader } from './line-reader.ts';
import { messageSchema, type Message } from './protocol.ts';
import type { Redaction } from './redaction.ts';

export interface SessionOptions {
  command: readonly string[];
  directory: string | undefined;
  environment: Record<string, string>;
  /** In milliseconds. */
  graceMs: number;
  redaction: Redaction;
  log: ConnectorLog;
}

interface Call {
  what: string;
  resolve(result: unknown): void;
  reject(error: Error): void;
  item(value: unknown): void;
  bytes: number;
}

/** A call may answer with this many bytes in all, items included. */
const largestAnswer = 64 * 1024 * 1024;
/** A program that writes more lines that are no messages is taken for something else. */
const mostGarbage = 100;
/** What is kept of the standard error in this many milliseconds, in lines. */
const loggedLines = 200;
const logWindowMs = 60_000;
/** How long the last of what an ended program has written may take to arrive, in milliseconds: others may hold its output open for ever. */
const lastWordsMs = 1000;

/** One process of a program, from its start to its end. It is never trusted: not to answer, not to end, and not to speak the protocol. */
export class Session {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #options: SessionOptions;
  readonly #calls = new Map<number, Call>();
  /** Calls that nobody waits for, with what ends a program that does not let go of them. */
  readonly #cancelled = new Map<number, NodeJS.Timeout>();
  readonly ended: Promise<void>;
  #next = 1;
  #garbage = 0;
  #lines = 0;
  #windowEnds = 0;
  #lastWords = '';
  #fault: string | undefined;
  #isOver = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const [program = '', ...args] = options.command;
    // A process group of its own: what it starts ends with it.
    this.#child = spawn(program, args, { cwd: options.directory, env: options.environment, stdio: 'pipe', detached: true });
    const { stdin, stdout, stderr } = this.#child;
    this.ended = new Promise<void>((resolve) => {
      this.#child.once('error', (error) => {
        this.#fault = error.message;
        if (this.#child.pid === undefined) resolve();
      });
      this.#child.once('close', () => resolve());
      this.#child.once('exit', () => {
        // What it has started ends with it.
        this.#signal('SIGKILL');
        const late = setTimeout(resolve, lastWordsMs);
        this.#child.once('close', () => clearTimeout(late));
      });
    }).then(() => this.#end());
    stdin.on('error', () => {});
    this.#read(stdout, (line) => this.#hear(line));
    this.#read(stderr, (line) => this.#listen(line));
    // A program that is asked nothing keeps nobody from ending.
    for (const stream of [stdin, stdout, stderr]) if (stream instanceof Socket) stream.unref();
    this.#holdOn();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * @param signal when aborted the call is given up at once, and the program told so
   * @param item called with each item that comes before the result
   * @throws ConnectorError
   */
  call(method: string, params: unknown, signal: AbortSignal, item: (value: unknown) => void = () => {}): Promise<unknown> {
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (this.#isOver || signal.aborted) {
      reject(this.#isOver ? this.#gone() : new ConnectorError('timeout', `Gave up to ${method}: the call was aborted`));
      return promise;
    }
    this.#calls.set(id, { what: method, resolve, reject, item, bytes: 0 });
    const giveUp = (): void => {
      reject(new ConnectorError('timeout', `Gave up to ${method}: the call was aborted`, { cause: signal.reason }));
      if (!this.#calls.delete(id)) return;
      this.#send({ method: 'cancel', params: { id } });
      const overdue = setTimeout(() => this.kill(`it has not let go of ${method}, which was cancelled`), this.#options.graceMs);
      overdue.unref();
      this.#cancelled.set(id, overdue);
    };
    signal.addEventListener('abort', giveUp);
    this.#send({ id, method, params });
    this.#holdOn();
    return promise.finally(() => {
      signal.removeEventListener('abort', giveUp);
      this.#holdOn();
    });
  }

  /** Ends the program and all that it has started; at once when it does not heed the request. */
  kill(why: string): void {
    if (this.#isOver) return;
    this.#fault ??= why;
    this.#signal('SIGTERM');
    const harder = setTimeout(() => this.#signal('SIGKILL'), this.#options.graceMs);
    harder.unref();
    void this.ended.then(() => clearTimeout(harder));
  }

  /** Tells the program that nobody needs it any more, and waits for its end. */
  async close(): Promise<void> {
    this.#child.ref();
    this.#child.stdin.end();
    const impatience = setTimeout(() => this.kill('it goes on although its input has ended'), this.#options.graceMs);
    await this.ended;
    clearTimeout(impatience);
  }

  #holdOn(): void {
    if (this.#calls.size > 0) this.#child.ref();
    else this.#child.unref();
  }

  #send(message: object): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #read(stream: NodeJS.ReadableStream, each: (line: string) => void): void {
    const reader = new LineReader();
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      if (this.#fault !== undefined) return;
      try {
        reader.push(chunk).forEach(each);
      } catch (error) {
        this.#signal('SIGKILL');
        this.#fault = error instanceof Error ? error.message : String(error);
      }
    });
    stream.on('end', () => {
      const rest = reader.rest();
      if (rest !== '' && this.#fault === undefined) each(rest);
    });
  }

  #hear(line: string): void {
    if (line.trim() === '') return;
    const message = parse(line);
    if (message === undefined) return this.#mind(line);
    const { id, log } = message;
    if (log !== undefined) this.#log(log.level, log.message);
    if (id === undefined) return;
    const call = this.#calls.get(id);
    if (call === undefined) {
      if (message.item === undefined && !this.#forget(id) && log === undefined) this.#mind(line);
      return;
    }
    call.bytes += line.length;
    if (call.bytes > largestAnswer) return this.kill(`its answer to ${call.what} is longer than ${largestAnswer} bytes`);
    if (message.item !== undefined) return call.item(message.item);
    if (message.error === undefined && message.result === undefined) return;
    this.#calls.delete(id);
    if (message.error === undefined) return call.resolve(message.result);
    const { code, message: words, retryAfterMs, hint } = message.error;
    const { redaction } = this.#options;
    const details = {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(hint !== undefined && { hint: redaction.clean(hint) }),
    };
    call.reject(new ConnectorError(code, redaction.clean(words), details));
  }

  /** The answer to a call that nobody waits for. */
  #forget(id: number): boolean {
    clearTimeout(this.#cancelled.get(id));
    return this.#cancelled.delete(id);
  }

  #mind(line: string): void {
    this.#log('warn', `this is no message of the protocol: ${line.slice(0, 200)}`);
    this.#garbage += 1;
    if (this.#garbage > mostGarbage) this.kill('it does not speak the protocol');
  }

  #listen(line: string): void {
    if (line.trim() === '') return;
    this.#lastWords = this.#options.redaction.clean(line);
    this.#log('info', line);
  }

  #log(level: 'info' | 'warn', line: string): void {
    const now = Date.now();
    if (now > this.#windowEnds) {
      this.#windowEnds = now + logWindowMs;
      this.#lines = 0;
    }
    this.#lines += 1;
    const { log, redaction } = this.#options;
    if (this.#lines < loggedLines) log[level](redaction.clean(line));
    else if (this.#lines === loggedLines) log.warn('it says more than is kept; the rest of this minute is left out');
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#isOver) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }

  #end(): void {
    this.#isOver = true;
    for (const stream of this.#child.stdio) stream?.destroy();
    for (const overdue of this.#cancelled.values()) clearTimeout(overdue);
    for (const call of this.#calls.values()) call.reject(this.#gone());
    this.#calls.clear();
  }

  #gone(): ConnectorError {
    const { exitCode, signalCode } = this.#child;
    const [program] = this.#options.command;
    const how = this.#fault ?? (signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`);
    const words = this.#lastWords === '' ? '' : `; its last words were: ${this.#lastWords}`;
    return new ConnectorError('unavailable', `The program ${program} has ended: ${how}${words}`);
  }
}

function parse(line: string): Message | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
