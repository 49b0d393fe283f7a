import { createHash, randomBytes } from 'node:crypto';
import { Agent, request, type ClientRequest } from 'node:http';
import type { Op, OpResult, StreamEvents } from '@paceline/api';

export interface LightConfig {
  url: string;
  run: string;
  instance: string;
  secret: string;
}

type AnyOp = Op extends infer O ? (O extends { id: number } ? Omit<O, 'id'> : O) : never;

/** The least program that can be a machine of a run: it joins, listens, and says what a test tells it to. */
export class LightAgent {
  readonly config: LightConfig;
  readonly #key = randomBytes(24).toString('base64url');
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
  #lastOp = 0;
  #session = '';
  #stream: ClientRequest | undefined;
  #rest = '';
  /** Called with every event of the stream. */
  on = <E extends keyof StreamEvents>(_event: E, _data: StreamEvents[E]): void => {};

  constructor(config: LightConfig) {
    this.config = config;
  }

  async join(): Promise<void> {
    const { run, instance, secret } = this.config;
    const keyHash = createHash('sha256').update(this.#key).digest('hex');
    await this.#post('/agent/join', {
      run,
      instance,
      secret,
      keyHash,
      agentVersion: 'light',
      nodeVersion: process.version,
      bootId: 'light',
    });
  }

  /** Opens the stream; resolves with the first event. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = request(
        `${this.config.url}/agent/stream`,
        { headers: { authorization: `Bearer ${this.#key}` }, agent: false },
        (response) => {
          response.setEncoding('utf8');
          response.on('data', (text: string) => this.#read(text, resolve));
          response.on('error', () => {});
        },
      );
      stream.on('error', reject);
      stream.end();
      this.#stream = stream;
    });
  }

  async say(...ops: AnyOp[]): Promise<OpResult[]> {
    const questions = new Set(['get', 'unwait', 'getAll', 'unwaitAll', 'log', 'examined']);
    const numbered = ops.map((op) => (questions.has(op.op) ? op : { ...op, id: ++this.#lastOp }));
    return (await this.#post<{ results: OpResult[] }>('/agent/ops', { session: this.#session, ops: numbered })).results;
  }

  close(): void {
    this.#stream?.destroy();
    this.#agent.destroy();
  }

  #read(text: string, hello: () => void): void {
    this.#rest += text;
    for (let end = this.#rest.indexOf('\n\n'); end >= 0; end = this.#rest.indexOf('\n\n')) {
      const [first = '', second = ''] = this.#rest.slice(0, end).split('\n');
      this.#rest = this.#rest.slice(end + 2);
      if (!first.startsWith('event: ')) continue;
      const event = first.slice(7) as keyof StreamEvents;
      const data = JSON.parse(second.slice(6)) as never;
      if (event === 'hello') {
        const hi: StreamEvents['hello'] = data;
        this.#lastOp = hi.lastOp;
        this.#session = hi.session;
        hello();
      }
      this.on(event, data);
    }
  }

  #post<T>(path: string, body: unknown): Promise<T> {
    const text = JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.#key}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      };
      const sent = request(`${this.config.url}${path}`, { method: 'POST', agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(answer) as T);
          else reject(new Error(`${path}: ${response.statusCode} ${answer}`));
        });
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }
}
