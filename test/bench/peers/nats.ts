import { jetstream } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import type { Meeting, Member, Peer, Wait } from './peer.ts';
import { startProgram } from './program.ts';

/** A thousand waits that begin at once take it longer than the 5 s that its client allows. */
const timeoutMs = 60_000;

/** A key-value bucket in a file; the revision says how many have arrived. */
export const nats: Peer = {
  name: 'NATS JetStream',
  terms: 'acknowledges before its fsync; its own client',
  start: () => startProgram('nats-server', (port, folder) => ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port)]),
  async connect(endpoint, index) {
    const connection = await connect({ port: Number(endpoint), timeout: timeoutMs, reconnect: false });
    const buckets = new Kvm(jetstream(connection, { timeout: timeoutMs }));
    return new NatsMember(await (index === 1 ? buckets.create('bench') : buckets.open('bench')));
  },
};

class NatsMember implements Member {
  readonly #bucket: KV;

  constructor(bucket: KV) {
    this.#bucket = bucket;
  }

  set(key: string, value: string): Promise<number> {
    return this.#bucket.put(key, value);
  }

  wait(key: string): Wait {
    const watching = this.#bucket.watch({ key });
    const woken = watching.then(async (entries) => {
      for await (const entry of entries) if (entry.operation === 'PUT') return;
    });
    return { armed: watching, woken };
  }

  prepare(): Promise<number> {
    return this.#bucket.put('base', '1');
  }

  async barrier({ name, index, count, base }: Meeting): Promise<void> {
    const ready = this.wait(`${name}-ready`);
    const revision = await this.set(`${name}.${index}`, '1');
    if (revision === base + count) await this.set(`${name}-ready`, '1');
    await ready.woken;
  }
}
