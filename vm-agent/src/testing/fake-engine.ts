import { createHash } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Assignment, JoinRequest, Op, OpResult, OpsRequest, RefusedEvent, Step, StreamEvents } from '@paceline/api/agent';

type Log = Extract<Op, { op: 'log' }>;

/** An engine of one instance: what the wire contract asks for, in memory, with faults on demand. */
export class FakeEngine {
  readonly secret = 'join-secret';
  readonly joins: JoinRequest[] = [];
  /** Mutating ops in the order in which they were carried out. */
  readonly done: Op[] = [];
  readonly params = new Map<string, { value: string; secret: boolean }>();
  readonly scripts = new Map<string, string>();
  readonly reports = new Map<string, { size: number; sha256: string; data: Buffer }>();
  readonly logs = new Map<string, Buffer>();
  readonly texts = new Map<string, string>();
  requests = 0;
  gets = 0;
  assignment: Assignment = { seq: 0, state: 'Provisioning', abort: null, steps: [], completed: true };
  /** Answers of the report store other than success. */
  reportStatus = 0;
  /** Cut this many report uploads after their first bytes. */
  reportCuts = 0;
  joinStatus = 0;
  /** What the machine's SSH server has to use. */
  hostKey: string | undefined;
  streamStatus = 0;
  keyHash = '';
  lastOp = 0;
  /** Of the newest stream; what is said on another one is refused. */
  session = '';
  readonly findings: Extract<Op, { op: 'examined' }>['finding'][] = [];
  /** Sessions of the ops requests that were refused for it. */
  readonly stale: string[] = [];
  #sessions = 0;
  /** By question; with the value, if any, that is no answer. */
  readonly #waits = new Map<string, string | undefined>();
  readonly #refusals = new Map<string, OpResult>();
  readonly #streams = new Set<ServerResponse>();
  readonly #watchers = new Set<() => void>();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => this.#server!.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Gone, with all connections; `start` brings it back on the same port. */
  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
    this.#streams.clear();
    this.#waits.clear();
  }

  /** Resolves when the condition holds; looked at after everything that happens here. */
  async until<T>(what: string, condition: () => T | undefined | false | null, ms = 10_000): Promise<T> {
    const found = condition();
    if (found) return found;
    return new Promise<T>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        clearInterval(looks);
        this.#watchers.delete(look);
      };
      const look = (): void => {
        const value = condition();
        if (!value) return;
        end();
        resolve(value);
      };
      const timer = setTimeout(() => {
        end();
        reject(
          new Error(
            `never came: ${what}\n${JSON.stringify(this.done, null, 1)}\n${[...this.texts].map(([name, text]) => `${name}: ${text.slice(-500)}`).join('\n')}`,
          ),
        );
      }, ms);
      const looks = setInterval(look, 20);
      this.#watchers.add(look);
    });
  }

  /** A step that runs this text. */
  script(id: string, text: string, more: Partial<Extract<Step, { kind: 'script' }>> = {}): Step {
    const digest = createHash('sha256').update(text).digest('hex');
    this.scripts.set(digest, text);
    return {
      kind: 'script',
      id,
      phase: 'deploy',
      label: 'Deployment',
      module: 'examples/apache',
      digest,
      aborts: true,
      immune: false,
      env: {},
      ...more,
    };
  }

  assign(steps: Step[], more: Partial<Assignment> = {}): number {
    const seq = this.assignment.seq + 1;
    this.assignment = { seq, state: 'Executing', abort: null, completed: false, steps, ...more };
    this.#push('assignment', this.assignment);
    return seq;
  }

  abort(reason: string): void {
    this.assignment = { ...this.assignment, abort: reason };
    this.#push('assignment', this.assignment);
  }

  /** Forget a completion that was answered, as an engine does that loses its last writes. */
  loseCompletion(): void {
    this.assignment = { ...this.assignment, completed: false };
    this.#push('assignment', this.assignment);
  }

  /** From now on the agent's connection is not the newest one any more; `greet` tells it so. */
  replaceSession(): void {
    this.session = `session-${++this.#sessions}`;
  }

  /** A `hello` on the stream that is there. */
  greet(): void {
    const logs = Object.fromEntries([...this.logs].map(([name, data]) => [name, data.length]));
    this.#push('hello', { session: this.session, assignment: this.assignment, lastOp: this.lastOp, logs });
  }

  /** From now on that question is refused, also to those who wait for its answer. */
  refuse(event: RefusedEvent): void {
    const { code, httpStatus, message } = event;
    const question = 'key' in event ? event.key : `*${event.node} ${event.name}`;
    this.#refusals.set(question, { status: 'error', code, httpStatus, message });
    if (this.#waits.delete(question)) this.#push('refused', event);
  }

  leave(): void {
    this.#push('leave', { reason: 'the run is over' });
  }

  examine(): void {
    this.#push('examine', {});
  }

  mask(values: string[]): void {
    this.#push('mask', { values });
  }

  set(key: string, value: string, secret = false): void {
    this.params.set(key, { value, secret });
    if (this.#waits.has(key) && this.#waits.get(key) !== value) {
      this.#waits.delete(key);
      this.#push('value', { key, value, secret });
    }
    for (const name of this.waits) {
      const all = this.#all(name);
      if (!all || all.unset.length > 0) continue;
      this.#waits.delete(name);
      const [node, key] = name.slice(1).split(' ') as [string, string];
      this.#push('values', { node, name: key, values: all.values });
    }
  }

  get waits(): string[] {
    return [...this.#waits.keys()];
  }

  get connected(): boolean {
    return this.#streams.size > 0;
  }

  /** Ends of steps and the like, as short texts. */
  get story(): string[] {
    return this.done.flatMap((op) =>
      op.op === 'step'
        ? [`${op.step} ${op.status}${op.message ? `: ${op.message}` : ''}`]
        : op.op === 'complete'
          ? [`complete ${op.seq}`]
          : [],
    );
  }

  output(source: RegExp): string {
    return [...this.texts]
      .filter(([name]) => source.test(name))
      .map(([, text]) => text)
      .join('');
  }

  #push<E extends keyof StreamEvents>(event: E, data: StreamEvents[E]): void {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const url = new URL(request.url!, this.url);
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (url.pathname === '/agent/join') {
      const join = JSON.parse((await read(request)).toString()) as JoinRequest;
      this.joins.push(join);
      if (this.joinStatus) return json(this.joinStatus, { detail: 'no more joins' });
      if (join.secret !== this.secret || (this.keyHash && this.keyHash !== join.keyHash))
        return json(403, { detail: 'The secret is spent' });
      this.keyHash = join.keyHash;
      return json(200, { run: join.run, instance: join.instance, hostKey: this.hostKey });
    }
    const key = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    if (createHash('sha256').update(key).digest('hex') !== this.keyHash) return json(401, { detail: 'unknown key' });
    if (url.pathname === '/agent/stream') return this.#stream(response);
    if (url.pathname === '/agent/ops') {
      const { session, ops } = JSON.parse((await read(request)).toString()) as OpsRequest;
      if (session === this.session) json(200, { results: ops.map((op) => this.#carryOut(op)) });
      else {
        this.stale.push(session);
        json(409, { detail: 'Said on a connection that has been replaced' });
      }
    } else if (url.pathname.startsWith('/agent/scripts/')) {
      const text = this.scripts.get(url.pathname.slice('/agent/scripts/'.length));
      if (text === undefined) json(404, { detail: 'no such script' });
      else response.end(text);
    } else if (url.pathname.startsWith('/agent/reports/')) {
      await this.#report(request, response, url);
    } else json(404, { detail: 'no such route' });
    for (const watcher of [...this.#watchers]) watcher();
  }

  #stream(response: ServerResponse): void {
    if (this.streamStatus) return void response.writeHead(this.streamStatus).end();
    this.#waits.clear();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': here\n\n');
    for (const older of this.#streams) older.end();
    this.#streams.clear();
    this.#streams.add(response);
    response.on('close', () => {
      if (this.#streams.delete(response)) this.session = '';
    });
    this.replaceSession();
    this.greet();
  }

  #carryOut(op: Op): OpResult {
    const refusal = op.op === 'get' ? this.#refusals.get(op.key) : op.op === 'getAll' && this.#refusals.get(`*${op.node} ${op.name}`);
    if (refusal) return refusal;
    if (op.op === 'log') this.#log(op);
    if (op.op === 'examined') this.findings.push(op.finding);
    if (op.op === 'unwait') this.#waits.delete(op.key);
    if (op.op === 'unwaitAll') this.#waits.delete(`*${op.node} ${op.name}`);
    if (op.op === 'get') return this.#get(op);
    if (op.op === 'getAll') {
      const name = `*${op.node} ${op.name}`;
      const all = this.#all(name)!;
      if (op.wait && all.unset.length > 0) this.#waits.set(name, undefined);
      return { status: 'values', ...all };
    }
    if (!('id' in op)) return { status: 'ok' };
    if (op.id <= this.lastOp) return { status: 'ok' };
    if (op.id !== this.lastOp + 1) throw new Error(`op ${op.id} after ${this.lastOp}`);
    this.lastOp = op.id;
    this.done.push(op);
    if (op.op === 'set' || op.op === 'unset') {
      if (this.assignment.abort !== null && !op.ignoreAbort) return aborted;
      if (op.key.includes('unknown')) return { status: 'error', code: 'UNKNOWN', httpStatus: 404, message: `Unknown key ${op.key}` };
      if (op.op === 'set') this.set(op.key, op.value, op.secret);
      else this.params.delete(op.key);
    }
    if (op.op === 'abort') this.abort(op.reason);
    if (op.op === 'cancelAbort') this.assignment = { ...this.assignment, abort: null };
    if (op.op === 'complete' && op.seq === this.assignment.seq) this.assignment = { ...this.assignment, completed: true };
    return { status: 'ok' };
  }

  #get(op: Extract<Op, { op: 'get' }>): OpResult {
    this.gets++;
    if (this.assignment.abort !== null && !op.ignoreAbort) return aborted;
    const known = this.params.get(op.key);
    if (known && known.value !== op.unless) return { status: 'value', ...known };
    if (op.key.includes('unknown')) return { status: 'error', code: 'UNKNOWN', httpStatus: 404, message: `Unknown key ${op.key}` };
    if (op.wait) this.#waits.set(op.key, op.unless);
    return { status: 'unset' };
  }

  #all(name: string): { values: Record<string, string>; unset: string[] } | undefined {
    if (!name.startsWith('*')) return undefined;
    const [node, key] = name.slice(1).split(' ') as [string, string];
    const ids = this.params.get(`${node}:ids`)?.value.split(',') ?? [];
    const value = (id: string): string | undefined => this.params.get(`${node}.${id}:${key}`)?.value;
    return {
      values: Object.fromEntries(ids.filter((id) => value(id) !== undefined).map((id) => [id, value(id)!])),
      unset: ids.filter((id) => value(id) === undefined),
    };
  }

  #log({ source, offset, bytes, text }: Log): void {
    const have = this.logs.get(source) ?? Buffer.alloc(0);
    if (offset < have.length) return;
    if (offset > have.length) throw new Error(`${source} has a hole at ${have.length}`);
    this.logs.set(source, Buffer.concat([have, Buffer.alloc(bytes)]));
    this.texts.set(source, (this.texts.get(source) ?? '') + text);
  }

  async #report(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const name = decodeURIComponent(url.pathname.slice('/agent/reports/'.length));
    const known = this.reports.get(name);
    const progress = (): object => {
      const { data, size } = this.reports.get(name)!;
      return { received: data.length, complete: data.length === size };
    };
    if (request.method === 'GET') return known ? json(200, progress()) : json(404, { detail: 'no such report' });
    if (this.reportStatus) {
      await read(request);
      return json(this.reportStatus, { detail: 'no room for reports' });
    }
    const report = known ?? { size: Number(url.searchParams.get('size')), sha256: url.searchParams.get('sha256')!, data: Buffer.alloc(0) };
    this.reports.set(name, report);
    if (Number(url.searchParams.get('offset')) !== report.data.length) return json(409, { detail: 'another offset' });
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (this.reportCuts > 0) {
        this.reportCuts--;
        report.data = Buffer.concat([report.data, chunk.subarray(0, 100)]);
        request.socket.destroy();
        return;
      }
      chunks.push(chunk);
    }
    report.data = Buffer.concat([report.data, ...chunks]);
    json(200, progress());
  }
}

const aborted: OpResult = { status: 'error', code: 'ABORTED', httpStatus: 409, message: 'Abort flag raised!' };

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
