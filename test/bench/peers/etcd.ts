import { Etcd3 } from 'etcd3';
import type { Meeting, Member, Peer, Wait } from './peer.ts';
import { startProgram } from './program.ts';

/** Put and watch; the double barrier of its own recipes. */
export const etcd: Peer = {
  name: 'etcd',
  terms: 'fsync of its log; etcd3 over grpc-js',
  start: () =>
    startProgram('etcd', (port, folder, peer) => [
      `--data-dir=${folder}/data`,
      `--listen-client-urls=http://127.0.0.1:${port}`,
      `--advertise-client-urls=http://127.0.0.1:${port}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
    ]),
  async connect(endpoint) {
    const client = new Etcd3({ hosts: `http://127.0.0.1:${endpoint}`, grpcOptions: { 'grpc.use_local_subchannel_pool': 1 } });
    await client.get('there?');
    return new EtcdMember(client);
  },
};

class EtcdMember implements Member {
  readonly #client: Etcd3;

  constructor(client: Etcd3) {
    this.#client = client;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#client.put(key).value(value);
  }

  wait(key: string): Wait {
    const watching = this.#client.watch().key(key).create();
    const woken = watching.then(async (watcher) => {
      await new Promise((resolve) => watcher.on('put', resolve));
      void watcher.cancel();
    });
    return { armed: watching, woken };
  }

  async barrier({ name, index, count }: Meeting): Promise<void> {
    await this.#arrive(name, index, count, '1');
  }

  async exchange({ name, index, count }: Meeting, address: string): Promise<number> {
    await this.#arrive(name, index, count, address);
    return Object.keys(await this.#client.getAll().prefix(`${name}/`).strings()).length;
  }

  async #arrive(name: string, index: number, count: number, value: string): Promise<void> {
    const ready = this.wait(`${name}-ready`);
    await ready.armed;
    await this.set(`${name}/${index}`, value);
    if ((await this.#client.getAll().prefix(`${name}/`).count()) === count) await this.set(`${name}-ready`, '1');
    await ready.woken;
  }
}
