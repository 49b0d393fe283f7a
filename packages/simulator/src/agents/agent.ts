import type { Assignment, Hello, JoinRequest, OpResult, Step, StreamEvents } from '@paceline/api/agent';
import type { Door } from '../engines/door.ts';
import { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { Host } from '../machines/host.ts';
import type { Script } from '../machines/script.ts';
import { HttpError, isFinal, LinkError } from '../network/errors.ts';
import type { Client } from '../network/network.ts';
import { Stream, type StreamHandlers } from '../network/stream.ts';
import { actionsOf } from '../systems/recipe.ts';
import type { World } from '../world.ts';
import { Backoff } from './backoff.ts';
import { hashOf, newKey } from './key.ts';
import { OpsQueue } from './ops-queue.ts';
import { Waits, type Question } from './waits.ts';
import { Work } from './work.ts';

/** One life of the agent process on a machine. It knows what the disk says, and asks the engine for the rest. */
export class Agent {
  readonly process: Process;
  readonly ops: OpsQueue;
  readonly #world: World;
  readonly #host: Host;
  readonly #random: Random;
  readonly #waits: Waits;
  readonly #backoff: Backoff;
  #logs: Hello['logs'] | undefined;
  #work: Work | undefined;
  #sentLogs = 0;
  #scriptEnded = Promise.withResolvers<void>();

  constructor(world: World, host: Host, name: string) {
    this.#world = world;
    this.#host = host;
    this.#random = world.random.fork(`agent ${host.machine.id} ${name}`);
    this.process = new Process(world.kernel, name);
    this.#backoff = new Backoff(this.process, this.#random);
    this.ops = new OpsQueue({
      process: this.process,
      post: (request) => this.#ask((door) => door.ops(this.#key, request)),
      backoff: new Backoff(this.process, this.#random),
      onFinal: (error) => this.#leave(error.message),
    });
    this.#waits = new Waits((draft) => this.ops.send(draft));
  }

  start(): void {
    this.process.enter(() => void this.#main());
  }

  /** For scripts: waits until there is a value, or a reason that there will be none. */
  wait(question: Question): Promise<OpResult> {
    return this.#waits.wait(question);
  }

  scriptEnded(): void {
    const ended = this.#scriptEnded;
    this.#scriptEnded = Promise.withResolvers();
    // An agent looks at the results of scripts when it gets to it.
    this.process.after(this.#random.between(0, 30), ended.resolve);
  }

  printed(): void {
    const { output } = this.#host.disk;
    if (this.#logs === undefined) return;
    for (; this.#sentLogs < output.length; this.#sentLogs++) {
      const piece = output[this.#sentLogs];
      if (piece === undefined || piece.offset < (this.#logs[piece.source] ?? 0)) continue;
      void this.ops.send({ op: 'log', stream: 'stdout', at: new Date(this.#world.kernel.now).toISOString(), ...piece });
    }
  }

  async #main(): Promise<void> {
    const { disk } = this.#host;
    await this.process.sleep(this.#random.between(10, 300));
    // Kept before it is used: after a crash in the middle of a join the same key joins again.
    disk.key ??= newKey(disk.config.run, this.#random);
    this.#world.checks.machines.keyed(this.#host.machine.id, hashOf(disk.key));
    while (!disk.joined) {
      try {
        await this.#ask((door) => door.join(this.#joinRequest()));
        disk.joined = true;
      } catch (error) {
        const refused = error instanceof HttpError && error.status < 500 && ![404, 408, 425, 429].includes(error.status);
        if (refused) return this.#leave(error.message);
        await this.#backoff.wait();
      }
    }
    for (;;) {
      const error = await this.#connection();
      this.ops.down();
      if (isFinal(error)) return this.#leave(error.message);
      await this.#backoff.wait();
    }
  }

  #connection(): Promise<Error | undefined> {
    const { run } = this.#host.disk.config;
    const replica = this.#world.cluster.route(run);
    if (replica === undefined) return Promise.resolve(new LinkError('nobody is there'));
    return new Promise((resolve) => {
      const end = (error: Error | undefined): void => {
        cancel();
        stream.close();
        this.#world.cluster.learn(run, replica, error instanceof HttpError && error.status < 500);
        resolve(error);
      };
      // A server that says nothing is given up.
      const cancel = this.process.after(45_000, () => end(new LinkError('no answer for 45 s')));
      const handlers: StreamHandlers = {
        event: (name, data) => {
          cancel();
          if (name === 'hello') this.#world.cluster.learn(run, replica, true);
          this.#told(name as keyof StreamEvents, data);
        },
        down: end,
      };
      const stream = new Stream(this.#world, this.#client, replica, handlers, (door, wire) => door.stream(this.#key, wire));
    });
  }

  #told(name: keyof StreamEvents, data: unknown): void {
    this.#world.trace?.add(this.process.name, `is told ${name}`);
    switch (name) {
      case 'hello':
        return this.#hello(data as Hello);
      case 'assignment':
        return this.#assign(data as Assignment);
      case 'value':
        return this.#waits.value(data as StreamEvents['value']);
      case 'values':
        return this.#waits.values(data as StreamEvents['values']);
      case 'refused':
        return this.#waits.refused(data as StreamEvents['refused']);
      case 'examine':
        return void this.ops.send({ op: 'examined', finding: this.#examine() });
      case 'mask':
        return;
      case 'leave':
        return this.#leave((data as StreamEvents['leave']).reason);
    }
  }

  #hello(hello: Hello): void {
    this.#backoff.reset();
    if (this.#logs === undefined) {
      this.#logs = hello.logs;
      this.printed();
    }
    this.ops.hello(hello);
    this.#waits.hello();
    this.#assign(hello.assignment);
  }

  #assign(assignment: Assignment): void {
    this.#world.checks.agents.assigned(this.#host.disk.config, assignment);
    if (assignment.abort !== null) this.#waits.abort(assignment.abort);
    if (assignment.seq < (this.#work?.seq ?? -1)) return;
    if (assignment.seq === this.#work?.seq) return this.#work.update(assignment);
    this.#work?.cancel();
    const { disk } = this.#host;
    this.#host.sweep(assignment.seq);
    if (disk.seq !== assignment.seq) {
      disk.seq = assignment.seq;
      disk.steps = new Map();
    }
    this.#work = new Work(this.#bench(), assignment);
    this.#work.start();
  }

  #examine(): 'alone' | 'accompanied' | 'busy' {
    if (this.#host.isComputing) return 'busy';
    if (this.#host.isWaiting) return this.#random.pick(['alone', 'alone', 'accompanied']);
    return this.#work?.isDone === true ? 'alone' : 'busy';
  }

  #bench(): ConstructorParameters<typeof Work>[0] {
    const { disk } = this.#host;
    return {
      process: this.process,
      random: this.#random,
      disk,
      boot: this.#host.boots,
      ops: this.ops,
      script: (seq, step, attempt) => this.#script(seq, step, attempt),
      scriptEnded: () => this.#scriptEnded.promise,
      report: () => this.#report(),
      completing: (seq) => this.#world.checks.agents.completing(disk.config, seq),
    };
  }

  async #script(seq: number, step: Step, attempt: number): Promise<Script | undefined> {
    if (step.kind !== 'script') throw new Error(`${step.kind} is no script`);
    const text = await this.#insist((door) => door.script(this.#key, step.digest));
    return this.#host.script({ seq, step: step.id, actions: actionsOf(text), immune: step.immune }, attempt);
  }

  async #report(): Promise<void> {
    const name = `${this.#host.disk.config.instance}_report_2026-01-01T000000Z.tgz`;
    const { received, complete } = await this.#insist((door) => door.reportProgress(this.#key, name));
    if (complete) return;
    await this.#insist((door) => door.report(this.#key, name, { offset: received, size: 100, sha256: '0'.repeat(64) }));
  }

  async #insist<T>(ask: (door: Door) => Promise<T>): Promise<T> {
    const backoff = new Backoff(this.process, this.#random);
    for (;;) {
      try {
        return await this.#ask(ask);
      } catch {
        await backoff.wait();
      }
    }
  }

  async #ask<T>(ask: (door: Door) => Promise<T>): Promise<T> {
    const { cluster, network } = this.#world;
    const { run } = this.#host.disk.config;
    const replica = cluster.route(run);
    if (replica === undefined) throw new LinkError('nobody is there');
    try {
      const answer = await network.call(this.#client, replica, ask);
      cluster.learn(run, replica, true);
      return answer;
    } catch (error) {
      cluster.learn(run, replica, error instanceof HttpError && error.status < 500);
      throw error;
    }
  }

  /** The instance is over, or never was one: nothing of it goes on. */
  #leave(reason: string): void {
    const { disk } = this.#host;
    if (disk.left !== undefined) return;
    this.#world.trace?.add(this.process.name, `leaves: ${reason}`);
    disk.left = reason;
    this.#host.sweep(Number.NaN);
    this.process.kill();
  }

  get #client(): Client {
    return { process: this.process, place: this.#host.machine.id };
  }

  get #key(): string {
    return this.#host.disk.key ?? '';
  }

  #joinRequest(): JoinRequest {
    const { config } = this.#host.disk;
    return { ...config, keyHash: hashOf(this.#key), agentVersion: '0', nodeVersion: '24', bootId: String(this.#host.boots) };
  }
}
