import type { Socket } from 'node:net';
import { until } from '../../support/until.ts';
import { connected } from './lines.ts';
import type { Meeting, Member, Peer, Wait } from './peer.ts';
import { startProgram } from './program.ts';

type Reply = string | number | null | Reply[];

/** A stream for each key, `XREAD BLOCK` to wait: a true blocking get. */
export const redis: Peer = {
  name: 'Redis',
  terms: 'appendfsync always; bare RESP',
  large: true,
  start: () =>
    startProgram('redis-server', (port, folder) =>
      `--port ${port} --bind 127.0.0.1 --dir ${folder} --save --appendonly yes --appendfsync always --maxclients 12000 --tcp-backlog 4096`
        .replace('--save ', '--save "" ')
        .split(' ')
        .map((word) => (word === '""' ? '' : word)),
    ),
  async connect(endpoint) {
    const port = Number(endpoint);
    control ??= connected(port).then((socket) => new Client(socket));
    return new RedisMember(new Client(await connected(port)), await control);
  },
};

/** A connection of its own that is asked how many wait. */
let control: Promise<Client> | undefined;
let waiting = 0;
let check: Promise<void> | undefined;

class RedisMember implements Member {
  readonly #client: Client;
  readonly #control: Client;

  constructor(client: Client, asked: Client) {
    this.#client = client;
    this.#control = asked;
  }

  set(key: string, value: string): Promise<unknown> {
    return this.#client.call('XADD', key, '*', 'v', value);
  }

  wait(key: string): Wait {
    waiting += 1;
    const woken = this.#client.call('XREAD', 'BLOCK', '0', 'STREAMS', key, '0').then(() => void (waiting -= 1));
    check ??= until(() => this.#allWait(), 60_000, 2).finally(() => (check = undefined));
    return { armed: check, woken };
  }

  async barrier({ name, index, count }: Meeting): Promise<void> {
    await this.#arrive(name, index, count, '1');
  }

  async exchange({ name, index, count }: Meeting, address: string): Promise<number> {
    await this.#arrive(name, index, count, address);
    const all = await this.#client.call('HGETALL', name);
    return Array.isArray(all) ? all.length / 2 : 0;
  }

  async #arrive(name: string, index: number, count: number, value: string): Promise<void> {
    const { call } = this.#client;
    const answers = await Promise.all([call('MULTI'), call('HSET', name, String(index), value), call('INCR', `${name}:n`), call('EXEC')]);
    const [, there] = answers[3] as Reply[];
    if (there === count) await call('XADD', `${name}:go`, '*', 'v', '1');
    else await call('XREAD', 'BLOCK', '0', 'STREAMS', `${name}:go`, '0');
  }

  async #allWait(): Promise<void> {
    const blocked = /blocked_clients:(\d+)/.exec(String(await this.#control.call('INFO', 'clients')))?.[1];
    if (Number(blocked) < waiting) throw new Error(`${blocked} of ${waiting} wait`);
  }
}

/** RESP, commands answered in order. */
class Client {
  readonly #socket: Socket;
  readonly #answers: ((reply: Reply) => void)[] = [];
  #rest = '';

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#rest = this.#rest === '' ? text : this.#rest + text;
      for (let at = 0; ;) {
        const parsed = parse(this.#rest, at);
        if (parsed === undefined) {
          this.#rest = this.#rest.slice(at);
          return;
        }
        at = parsed.end;
        this.#answers.shift()?.(parsed.reply);
      }
    });
  }

  readonly call = (...words: string[]): Promise<Reply> => {
    this.#socket.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
    return new Promise((resolve) => this.#answers.push(resolve));
  };
}

function parse(text: string, at: number): { reply: Reply; end: number } | undefined {
  const line = text.indexOf('\r\n', at);
  if (line === -1) return undefined;
  const rest = text.slice(at + 1, line);
  const end = line + 2;
  switch (text[at]) {
    case '$': {
      const length = Number(rest);
      if (length === -1) return { reply: null, end };
      return text.length < end + length + 2 ? undefined : { reply: text.slice(end, end + length), end: end + length + 2 };
    }
    case '*': {
      const items: Reply[] = [];
      let next = end;
      for (let left = Number(rest); left > 0; left--) {
        const item = parse(text, next);
        if (item === undefined) return undefined;
        items.push(item.reply);
        next = item.end;
      }
      return { reply: items, end: next };
    }
    case ':':
      return { reply: Number(rest), end };
    case '-':
      throw new Error(`Redis: ${rest}`);
    default:
      return { reply: rest, end };
  }
}
