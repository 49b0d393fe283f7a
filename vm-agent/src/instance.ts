import { existsSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { join as joinPath } from 'node:path';
import { type Hello, type OpsResponse, scriptGraceMs } from '@paceline/api/agent';
import { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import { serveCommands } from './commands/server.ts';
import { installCommands } from './commands/shim.ts';
import type { CommandUnderWay } from './commands/under-way.ts';
import { type AgentConfig, forgetSecret } from './config.ts';
import { writeDurably } from './durable.ts';
import { journal } from './journal.ts';
import { watchLease } from './lease.ts';
import { takeHostKey } from './link/host-key.ts';
import { Engine } from './link/http.ts';
import { join, makeKey, readKey } from './link/join.ts';
import { OpsQueue } from './link/ops.ts';
import { followStream, type Say } from './link/stream.ts';
import { Waits } from './link/waits.ts';
import { Masker } from './output/mask.ts';
import { Output } from './output/output.ts';
import { type Paths, makeFolders, pathsOf } from './paths.ts';
import type { Bench } from './runner/bench.ts';
import { baseEnvironment, marksOf } from './runner/environment.ts';
import { examine } from './runner/examination.ts';
import { sweep } from './runner/leftovers.ts';
import { bootId, processTable } from './runner/machine.ts';
import { Runner } from './runner/runner.ts';
import { Store, readState } from './runner/store.ts';

/** How serving an instance ended. `detached`: the agent goes, the scripts stay for the next agent. */
export interface Ending {
  how: 'left' | 'refused' | 'revoked' | 'expired' | 'detached';
  reason: string;
}

export interface InstanceOptions {
  config: AgentConfig;
  configFile: string;
  clock: Clock;
  /** What the commands' fall-back runs. */
  node: string;
  bundle: string;
}

/** One instance of a run, from joining to leaving. */
export class Instance {
  readonly #config: AgentConfig;
  readonly #options: InstanceOptions;
  readonly #clock: Clock;
  readonly #paths: Paths;
  readonly #masker = new Masker();
  readonly #log: (line: string) => void;
  readonly #closing = new AbortController();
  readonly #ops: OpsQueue;
  readonly #waits: Waits;
  readonly #commands = new Set<CommandUnderWay>();
  #engine: Engine;
  #output: Output | undefined;
  #runner: Runner | undefined;
  #server: Server | undefined;
  #store: Store | undefined;
  #stopLease: (() => void) | undefined;
  /** Since when the engine has been out of reach. */
  #downSince: number | undefined;
  #logs: Hello['logs'] = {};
  #say: Say | undefined;
  #end!: (ending: Ending) => void;
  readonly #ended = new Promise<Ending>((resolve) => (this.#end = resolve));

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#clock = options.clock;
    this.#paths = pathsOf(options.config);
    this.#engine = new Engine(options.config);
    this.#log = journal(joinPath(this.#paths.reports, 'paceline-agent.log'), options.config.instance, this.#masker, options.clock);
    this.#ops = new OpsQueue({
      post: async (request, signal) =>
        this.#say?.(request, signal) ?? (await this.#engine.json<OpsResponse>('POST', '/agent/ops', request, signal)).results,
      backoff: new Backoff(this.#clock),
      onFinal: (error) => this.#end({ how: 'revoked', reason: error.message }),
    });
    this.#waits = new Waits((draft) => this.#ops.send(draft), this.#clock);
  }

  /** Resolves when the instance is over and all its processes are gone (or left alone, when detached). */
  async run(): Promise<Ending> {
    const { run, instance, root } = this.#config;
    this.#takeState();
    const store = (this.#store = new Store(this.#paths.state, run, instance, root === ''));
    if (store.state.left !== undefined) return this.#close({ how: 'left', reason: store.state.left });
    try {
      await this.#serve(store);
      this.#downSince = this.#clock.now();
      if (this.#config.expires) this.#watchLease(Date.parse(this.#config.expires));
      void this.#connect();
    } catch (error) {
      this.#close({ how: 'detached', reason: (error as Error).message });
      throw error;
    }
    const ending = await this.#ended;
    if (ending.how !== 'detached') await this.#killAll(ending);
    return this.#close(ending);
  }

  /** The agent goes; scripts go on and are found again by the next one. */
  detach(): void {
    this.#end({ how: 'detached', reason: 'the agent was told to stop' });
  }

  /** The instance is not wanted any more. */
  leave(reason: string): void {
    this.#end({ how: 'left', reason });
  }

  /** A folder that belongs to another instance (an image of a machine that was one) is none of ours. */
  #takeState(): void {
    const { run, instance } = this.#config;
    const state = readState(this.#paths.state);
    if (state && (state.run !== run || state.instance !== instance)) rmSync(this.#paths.state, { recursive: true });
    makeFolders(this.#paths);
  }

  async #serve(store: Store): Promise<void> {
    const { node, bundle } = this.#options;
    installCommands(this.#paths, node, bundle);
    const commands = {
      instance: this.#config.instance,
      clock: this.#clock,
      ops: this.#ops,
      waits: this.#waits,
      masker: this.#masker,
    };
    this.#server = await serveCommands(this.#paths.socket, commands, this.#commands);
    this.#output = new Output({ folder: this.#paths.reports, masker: this.#masker, ops: this.#ops, clock: this.#clock });
    store.save();
  }

  /** Join, if that has not been done, and follow the stream. */
  async #connect(): Promise<void> {
    try {
      const key = await this.#join();
      this.#engine.close();
      this.#masker.add(key);
      this.#engine = new Engine({ ...this.#config, key });
      this.#runner = new Runner(this.#bench());
      await followStream({
        engine: this.#engine,
        backoff: new Backoff(this.#clock),
        log: this.#log,
        signal: this.#closing.signal,
        handlers: {
          hello: (hello) => this.#hello(hello),
          assignment: (assignment) => this.#assign(assignment),
          value: (event) => {
            if (event.secret) this.#masker.add(event.value);
            this.#waits.value(event);
          },
          values: (event) => this.#waits.values(event),
          refused: (event) => this.#waits.refused(event),
          examine: () => void this.#examine(),
          mask: ({ values }) => values.forEach((value) => this.#masker.add(value)),
          leave: ({ reason }) => this.leave(reason),
        },
        up: (say) => (this.#say = say),
        down: () => {
          this.#downSince ??= this.#clock.now();
          this.#ops.down();
          this.#waits.down();
        },
      });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const joined = this.#runner !== undefined;
      this.#end({ how: joined ? 'revoked' : 'refused', reason: (error as Error).message });
    }
  }

  async #join(): Promise<string> {
    const { state } = this.#paths;
    const joined = joinPath(state, 'joined');
    const known = readKey(state);
    if (known && existsSync(joined)) return known;
    const key = known ?? makeKey(state, this.#config.run);
    if (this.#config.secret) this.#masker.add(this.#config.secret);
    const started = this.#clock.now();
    const options = {
      config: this.#config,
      key,
      bootId: bootId(),
      backoff: new Backoff(this.#clock),
      log: this.#log,
      signal: this.#closing.signal,
    };
    const { hostKey } = await join(options);
    // Not joined until the engine knows: a repetition gets the same key again.
    if (hostKey) {
      const taken = takeHostKey(joinPath(state, 'take-host-key'), hostKey, options.signal);
      await taken.then(
        () => join(options, { tookHostKey: true }),
        (error: Error) => this.#keepsHostKey(error),
      );
    }
    writeDurably(joined, '');
    forgetSecret(this.#options.configFile);
    this.#log(`Joined ${this.#config.url} as ${this.#config.instance} of ${this.#config.run} in ${this.#clock.now() - started} ms`);
    return key;
  }

  /** While the engine hears nothing of it, the host key that the machine has is good: also when it cannot take another. */
  #keepsHostKey(error: Error): void {
    this.#closing.signal.throwIfAborted();
    const message = `The host key in the user data stays in use: ${error.message}`;
    this.#log(message);
    void this.#ops.send({ op: 'notice', severity: 'warning', message });
  }

  #bench(): Bench {
    return {
      config: this.#config,
      paths: this.#paths,
      engine: this.#engine,
      store: this.#store!,
      output: this.#output!,
      masker: this.#masker,
      clock: this.#clock,
      bootId: bootId(),
      env: { ...baseEnvironment(this.#config, this.#paths, process.env), ...this.#config.env },
      ops: this.#ops,
      log: this.#log,
      stored: (source) => this.#logs[source] ?? 0,
    };
  }

  #hello(hello: Hello): void {
    this.#downSince = undefined;
    this.#logs = hello.logs;
    this.#ops.hello(hello);
    this.#waits.hello();
    this.#assign(hello.assignment);
  }

  #assign(assignment: Hello['assignment']): void {
    if (assignment.abort !== null) this.#waits.abort(assignment.abort);
    this.#runner!.update(assignment);
  }

  async #examine(): Promise<void> {
    const finding = await examine({
      script: this.#runner!.script,
      idle: this.#runner!.idle,
      sessions: this.#store!.state.sessions,
      commands: this.#commands,
      table: processTable(marksOf(this.#config, this.#paths)),
      clock: this.#clock,
    });
    void this.#ops.send({ op: 'examined', finding });
  }

  #watchLease(expires: number): void {
    const onEnd = (): void => this.#end({ how: 'expired', reason: 'the run is over and the engine cannot be reached' });
    this.#stopLease = watchLease({ expires, clock: this.#clock, downSince: () => this.#downSince, onEnd });
  }

  async #killAll({ how, reason }: Ending): Promise<void> {
    this.#log(`Leaving (${how}): ${reason}`);
    this.#store!.state.left = reason;
    this.#store!.note();
    this.#ops.stop();
    const sessions = new Set(this.#store!.state.sessions);
    await Promise.all([this.#runner?.stop(), sweep(marksOf(this.#config, this.#paths), sessions, this.#clock, scriptGraceMs)]);
  }

  #close(ending: Ending): Ending {
    this.#closing.abort();
    this.#stopLease?.();
    this.#ops.stop();
    this.#output?.stop();
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#engine.close();
    if (this.#server && ending.how !== 'detached') rmSync(this.#paths.socket, { force: true });
    return ending;
  }
}
