import { createHmac } from 'node:crypto';
import { Agent } from '../agents/agent.ts';
import type { CloudMachine } from '../clouds/machine.ts';
import type { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { World } from '../world.ts';
import { Disk, type ScriptExit } from './disk.ts';
import { Leftover } from './leftover.ts';
import { Script, type ScriptTask } from './script.ts';

/** A machine that has booted: its disk, its agent, and the scripts that run on it. */
export class Host {
  readonly machine: CloudMachine;
  readonly disk: Disk;
  /** Grows with every boot. */
  boots = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #scripts = new Map<string, Script>();
  readonly #leftovers = new Set<Leftover>();
  #agent: Agent | undefined;
  #on = false;
  #started = 0;

  constructor(world: World, machine: CloudMachine) {
    this.#world = world;
    this.machine = machine;
    this.#random = world.random.fork(`host ${machine.id}`);
    this.disk = new Disk(configOf(machine));
    world.checks.agents.equipped(this.disk.config.secret, machine.token);
  }

  /** The instance's number in its node. */
  get index(): number {
    return this.machine.index;
  }

  get isOn(): boolean {
    return this.#on;
  }

  /** Scripts run here, and do nothing but wait for values. */
  get isWaiting(): boolean {
    const scripts = [...this.#scripts.values()];
    return scripts.length > 0 && scripts.every(({ isWaiting }) => isWaiting);
  }

  /** Something is going on that a script has left behind. */
  get isComputing(): boolean {
    return this.#leftovers.size > 0;
  }

  get agent(): Agent | undefined {
    return this.#agent?.process.isDead === false ? this.#agent : undefined;
  }

  boot(): void {
    this.#on = true;
    this.boots += 1;
    this.#world.trace?.add(this.machine.id, `boots as ${this.disk.config.instance}`);
    this.#startAgent();
  }

  powerOff(): void {
    if (!this.#on) return;
    this.#on = false;
    for (const script of this.#scripts.values()) script.process.kill();
    this.#scripts.clear();
    for (const leftover of this.#leftovers) leftover.process.kill();
    this.#agent?.process.kill();
  }

  reboot(): void {
    if (!this.#on) return;
    this.#world.trace?.add(this.machine.id, 'reboots');
    this.powerOff();
    this.#world.kernel.after(this.#random.between(5000, 40_000), () => void (this.machine.state === 'running' && this.boot()));
  }

  /** Begins a step's script, or finds the one that an earlier agent has begun. @returns undefined when that one has ended */
  script(task: ScriptTask, attempt: number): Script | undefined {
    const name = `${task.seq} ${task.step} ${attempt}`;
    if (this.disk.exits.has(name)) return undefined;
    let script = this.#scripts.get(name);
    const { checks } = this.#world;
    if (script !== undefined) checks.saw('a script outlived its agent');
    else {
      if (attempt > 1) checks.saw('a script began anew after a reboot');
      script = new Script(this.#world, this, task, `${this.disk.config.instance} ${task.step}`);
      this.#scripts.set(name, script);
      script.start();
    }
    return script;
  }

  /** Stops what scripts of other work have left behind. */
  sweep(seq: number): void {
    for (const [name, script] of this.#scripts) {
      if (script.task.seq === seq) continue;
      script.process.kill();
      this.#scripts.delete(name);
    }
    for (const leftover of this.#leftovers) if (leftover.seq !== seq) leftover.process.kill();
  }

  /** Begins what goes on when its script has ended. */
  leaveBehind({ seq }: ScriptTask, { name, ms, global }: { name: string; ms: number; global: boolean }): void {
    const leftover = new Leftover(this.#world, this, seq, `${global ? 'ss' : this.disk.config.instance}:${name}`);
    this.#leftovers.add(leftover);
    leftover.process.onDeath(() => this.#leftovers.delete(leftover));
    leftover.start(ms);
  }

  scriptEnded(script: Script, exit: ScriptExit): void {
    for (const [name, known] of this.#scripts) {
      if (known !== script) continue;
      this.#scripts.delete(name);
      this.disk.exits.set(name, exit);
    }
    this.#agent?.process.enter(() => this.#agent?.scriptEnded());
  }

  print(source: string, bytes: number): void {
    this.disk.print(source, bytes);
    const agent = this.agent;
    agent?.process.enter(() => agent.printed());
  }

  /** A command of a script: it asks the agent, or the next agent, until it has an answer. */
  async command<T>(script: Process, ask: (agent: Agent) => Promise<T>): Promise<T> {
    for (;;) {
      const agent = this.agent;
      if (agent !== undefined) {
        const answer = script.answer<T>();
        agent.process.onDeath(() => answer.reject(new Error('the agent is gone')));
        agent.process.enter(() => void ask(agent).then(answer.resolve, answer.reject));
        try {
          return await answer.promise;
        } catch {
          // The next agent will be asked the same.
        }
      }
      await script.sleep(1000);
    }
  }

  #startAgent(): void {
    if (!this.#on || this.disk.left !== undefined) return;
    const agent = new Agent(this.#world, this, `${this.disk.config.instance}/${++this.#started}`);
    this.#agent = agent;
    agent.process.onDeath(() => {
      this.#world.trace?.add(agent.process.name, 'is gone');
      // The service manager starts it again.
      if (this.#on && this.#agent === agent)
        this.#world.kernel.after(this.#random.between(300, 4000), () => void (this.#agent === agent && this.#startAgent()));
    });
    agent.start();
  }
}

/** What a machine learns of itself from its user data; of those that have it in common, its cloud tells each which one it is. */
function configOf({ userData, owner, index }: CloudMachine): { run: string; instance: string; secret: string } {
  const text = new TextDecoder().decode(userData);
  const config = JSON.parse(`{${/'("url".*)'/.exec(text)?.[1] ?? ''}}`) as { run: string; instance: string; secret: string };
  const launchSecret = /^launch='\S+ (\S+) /m.exec(text)?.[1];
  if (launchSecret === undefined) return config;
  const instance = `${owner.node}.${index}`;
  return { ...config, instance, secret: createHmac('sha256', launchSecret).update(instance).digest('base64url') };
}
