import type { OpResult } from '@paceline/api/agent';
import type { OpDraft } from '../agents/ops-queue.ts';
import type { Question } from '../agents/waits.ts';
import { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { Action } from '../systems/recipe.ts';
import type { World } from '../world.ts';
import type { ScriptExit } from './disk.ts';
import type { Host } from './host.ts';

export interface ScriptTask {
  seq: number;
  step: string;
  actions: readonly Action[];
  /** It sees no abort. */
  immune: boolean;
}

/** Ends the script with a message on its error output. */
class ScriptFailure extends Error {}

/** A script that runs on a machine, in processes of its own: it outlives its agent, not its machine. */
export class Script {
  readonly process: Process;
  readonly task: ScriptTask;
  readonly #world: World;
  readonly #host: Host;
  readonly #random: Random;
  #exit: ScriptExit | undefined;
  /** What it waits for now. */
  readonly #waits = new Set<string>();

  constructor(world: World, host: Host, task: ScriptTask, name: string) {
    this.#world = world;
    this.#host = host;
    this.task = task;
    this.#random = world.random.fork(name);
    this.process = new Process(world.kernel, name);
  }

  get isWaiting(): boolean {
    return this.#waits.size > 0;
  }

  start(): void {
    this.#world.trace?.add(this.process.name, 'begins');
    this.#world.checks.scripts.begun(this.#host.disk.config, this.task);
    this.process.enter(() => {
      this.#run().then(
        () => this.#end({ status: 'done' }),
        (error: unknown) => this.#end({ status: 'failed', message: `${this.process.name}: ${(error as Error).message}` }),
      );
    });
  }

  /** Tells it to stop, as SIGTERM and a while later SIGKILL do. */
  stop(): void {
    this.#world.kernel.after(this.#random.between(0, 5000), () => this.#end({ status: 'stopped' }));
  }

  #end(exit: ScriptExit): void {
    if (this.#exit !== undefined || this.process.isDead) return;
    this.#exit = exit;
    this.#world.trace?.add(this.process.name, `ends: ${exit.status} ${exit.message ?? ''}`);
    if (exit.status === 'done') this.#world.checks.scripts.succeeded(this.#host.disk.config, this.task);
    this.process.kill();
    this.#host.scriptEnded(this, exit);
  }

  async #run(): Promise<void> {
    for (const action of this.task.actions) {
      if (action.only !== undefined && action.only !== this.#host.index) continue;
      await this.process.sleep(this.#random.longTailed(150, 3000));
      await this.#carryOut(action);
    }
  }

  async #carryOut(action: Action): Promise<void> {
    switch (action.do) {
      case 'set':
        return this.#set(`${this.#me}:${action.name}`, action.secret);
      case 'set-global':
        return this.#set(`ss:${action.name}`, undefined);
      case 'unset':
        return this.#unset(`${this.#me}:${action.name}`);
      case 'get':
        await Promise.all(action.keys.map((key) => this.#get(this.#full(key))));
        return;
      case 'peek':
        return this.#peek(this.#full(action.key));
      case 'get-all':
        return this.#getAll(action.node, action.name);
      case 'trespass':
        return this.#trespass(action.key, action.write);
      case 'display':
        return this.#say({ op: 'set', key: `${this.#me}:statecustom`, value: action.text, secret: false, ignoreAbort: this.task.immune });
      case 'print':
        return this.#host.print(`${this.task.seq} ${this.task.step}`, action.bytes);
      case 'sleep':
        return this.process.sleep(action.ms);
      case 'leave':
        return this.#host.leaveBehind(this.task, action);
      case 'abort':
        this.#world.checks.runs.aborting(this.#runId, action.reason);
        return this.#say({ op: 'abort', reason: action.reason });
      case 'cancel-abort':
        this.#world.checks.runs.cancellingAbort(this.#runId);
        return this.#say({ op: 'cancelAbort' });
      case 'fail':
        throw new ScriptFailure('exit code 1');
    }
  }

  /** @param secret undefined for what is none, otherwise whether the script says that it is one */
  async #set(key: string, secret: boolean | undefined): Promise<void> {
    const { parameters } = this.#world.checks;
    const { number, value } = parameters.writing(this.#runId, key, secret !== undefined);
    await this.#say({ op: 'set', key, value, secret: secret === true, ignoreAbort: this.task.immune });
    parameters.acknowledged(this.#runId, key, number);
  }

  async #unset(key: string): Promise<void> {
    const { parameters } = this.#world.checks;
    const number = parameters.unsetting(this.#runId, key);
    await this.#say({ op: 'unset', key, ignoreAbort: this.task.immune });
    parameters.acknowledged(this.#runId, key, number);
  }

  async #get(key: string): Promise<void> {
    const asked = this.#world.checks.parameters.asking(this.#runId, this.#me, key);
    const result = await this.#wait(key, { key, ignoreAbort: this.task.immune });
    if (result.status === 'error') throw new ScriptFailure(`${key}: ${result.message}`);
    if (result.status === 'value') asked.heard(result.value);
  }

  async #peek(key: string): Promise<void> {
    const asked = this.#world.checks.parameters.asking(this.#runId, this.#me, key);
    const result = await this.#host.command(this.process, (agent) =>
      agent.ops.send({ op: 'get', key, wait: false, ignoreAbort: this.task.immune }),
    );
    if (result.status === 'error') throw new ScriptFailure(`${key}: ${result.message}`);
    asked.heard(result.status === 'value' ? result.value : null);
  }

  async #getAll(node: string, name: string): Promise<void> {
    const result = await this.#wait(`${node}.*:${name}`, { node, name, ignoreAbort: this.task.immune });
    if (result.status === 'error') throw new ScriptFailure(`${node}.*:${name}: ${result.message}`);
    if (result.status === 'values') this.#world.checks.parameters.heardAll(this.#runId, node, name, result.values);
  }

  async #wait(name: string, question: Question): Promise<OpResult> {
    const { scripts } = this.#world.checks;
    this.#waits.add(name);
    scripts.waiting(this.#host.disk.config, this.#waits);
    try {
      return await this.#host.command(this.process, (agent) => agent.wait(question));
    } finally {
      this.#waits.delete(name);
      scripts.waiting(this.#host.disk.config, this.#waits);
    }
  }

  async #trespass(key: string, write: boolean): Promise<void> {
    const result = await this.#host.command(this.process, (agent) =>
      write
        ? agent.ops.send({ op: 'set', key, value: 'trespass', secret: false, ignoreAbort: true })
        : agent.ops.send({ op: 'get', key, wait: false, ignoreAbort: true }),
    );
    // A secret that is not set yet is none that could be refused.
    if (result.status === 'error' || (!write && result.status === 'unset')) return;
    this.#world.checks.fail('nobody reads or writes what is not theirs', `${this.process.name} ${write ? 'set' : 'got'} ${key}`);
  }

  async #say(draft: OpDraft): Promise<void> {
    const result = await this.#host.command(this.process, (agent) => agent.ops.send(draft));
    if (result.status === 'error') throw new ScriptFailure(`${draft.op}: ${result.message}`);
  }

  #full(key: string): string {
    return key.startsWith(':') ? `${this.#me}${key}` : key;
  }

  get #me(): string {
    return this.#host.disk.config.instance;
  }

  get #runId(): string {
    return this.#host.disk.config.run;
  }
}
