import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { agentProtocol, type LinkEvents, type Op, type OpResult, type StreamEvents } from '@paceline/api';

export interface LightConfig {
  url: string;
  run: string;
  instance: string;
  secret: string;
}

type AnyOp = Op extends infer O ? (O extends { id: number } ? Omit<O, 'id'> : O) : never;
type Events = StreamEvents & LinkEvents;

const questions: ReadonlySet<string> = new Set(['get', 'unwait', 'getAll', 'unwaitAll', 'log', 'examined'] satisfies Op['op'][]);

/** The least program that can be a machine of a run: it joins, listens, and says what a test tells it to, one thing at a time. */
export class LightAgent {
  readonly config: LightConfig;
  readonly #key = randomBytes(24).toString('base64url');
  #lastOp = 0;
  #session = '';
  #socket: Socket | undefined;
  #rest = '';
  #event: string = '';
  #answer = (_results: OpResult[]): void => {};
  #refuse = (_error: Error): void => {};
  /** Called with every event of the stream. */
  on = <E extends keyof StreamEvents>(_event: E, _data: StreamEvents[E]): void => {};

  constructor(config: LightConfig) {
    this.config = config;
  }

  async join(): Promise<void> {
    const { url, run, instance, secret } = this.config;
    const keyHash = createHash('sha256').update(this.#key).digest('hex');
    const body = JSON.stringify({ run, instance, secret, keyHash, agentVersion: 'light', nodeVersion: process.version, bootId: 'light' });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(`${url}/agent/join`, { method: 'POST', headers }).end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    assert.equal(response.statusCode, 200, `${instance} cannot join`);
  }

  /** Opens the link; resolves with the first event. */
  async connect(): Promise<void> {
    const headers = { authorization: `Bearer ${this.#key}`, connection: 'upgrade', upgrade: agentProtocol };
    const [, socket, head] = (await once(request(`${this.config.url}/agent/stream`, { headers, agent: false }).end(), 'upgrade')) as [
      IncomingMessage,
      Socket,
      Buffer,
    ];
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.unshift(head);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#refuse(new Error(`the link of ${this.config.instance} is down`)));
    await new Promise<void>((resolve) => socket.setEncoding('utf8').on('data', (text: string) => this.#read(text, resolve)));
  }

  say(...ops: AnyOp[]): Promise<OpResult[]> {
    const numbered = ops.map((op) => (questions.has(op.op) ? op : { ...op, id: ++this.#lastOp }));
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#refuse = reject;
      this.#socket?.write(`${JSON.stringify({ session: this.#session, ops: numbered })}\n`);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #read(text: string, greeted: () => void): void {
    const lines = (this.#rest === '' ? text : this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('event: ')) this.#event = line.slice(7);
      else if (line.startsWith('data: ')) this.#hear(this.#event as keyof Events, JSON.parse(line.slice(6)) as never, greeted);
    }
  }

  #hear<E extends keyof Events>(event: E, data: Events[E], greeted: () => void): void {
    if (event === 'results') this.#answer((data as LinkEvents['results']).results);
    else if (event === 'problem') this.#refuse(new Error(JSON.stringify(data)));
    else {
      if (event === 'hello') {
        const { lastOp, session } = data as StreamEvents['hello'];
        this.#lastOp = lastOp;
        this.#session = session;
        greeted();
      }
      this.on(event, data as never);
    }
  }
}
