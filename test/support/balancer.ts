import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/** One address of several servers: each connection goes to the next of them that takes it. */
export class Balancer {
  readonly url: string;
  readonly #server: Server;
  readonly #targets: () => readonly string[];
  #turn = 0;

  private constructor(server: Server, targets: () => readonly string[], host: string) {
    const address = server.address();
    this.url = `http://${host}:${typeof address === 'object' ? address?.port : 0}`;
    this.#server = server.on('connection', (client) => {
      client.on('error', () => client.destroy());
      const next = (left: number): void => {
        const all = this.#targets();
        const target = all[this.#turn++ % Math.max(1, all.length)];
        if (target === undefined || left === 0) return void client.destroy();
        const { hostname, port } = new URL(target);
        const server = connect(Number(port), hostname);
        server.once('error', () => next(left - 1));
        server.once('connect', () => {
          server.removeAllListeners('error').on('error', () => client.destroy());
          client.pipe(server).pipe(client);
          client.on('close', () => server.destroy());
          server.on('close', () => client.destroy());
        });
      };
      next(this.#targets().length);
    });
    this.#targets = targets;
  }

  /** @param targets where the servers are at this moment. @param host what its address calls this host */
  static async open(targets: () => readonly string[], host = '127.0.0.1'): Promise<Balancer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Balancer(server, targets, host);
  }

  close(): void {
    this.#server.close();
  }
}
