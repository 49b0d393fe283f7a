import assert from 'node:assert/strict';
import type { OpResult } from '@paceline/api';
import { LightAgent, type LightConfig } from '../../support/light-agent.ts';
import { lightMachines } from '../../support/light-cloud.ts';
import { deploymentOf } from '../../support/recipes.ts';
import { System } from '../../support/system.ts';
import { until } from '../../support/until.ts';
import type { Meeting, Member, Peer, Wait } from './peer.ts';

/** How many keys and meetings a run of the contest has. */
export const keys = Array.from({ length: 500 }, (_, index) => `k${index}`);
export const meetings = Array.from({ length: 60 }, (_, index) => `r${index}`);

/** Our server with its store, and members that speak the protocol of agents. */
export const paceline: Peer = {
  name: 'Paceline',
  terms: 'fsync, group commit; the agents’ protocol',
  large: true,
  async start({ writer, member }) {
    const system = await System.start();
    const declared = (names: string[]): Record<string, object> => Object.fromEntries(names.map((name) => [name, {}]));
    const nodes = {
      writer: { multiplicity: writer, parameters: declared(keys) },
      member: { multiplicity: member, parameters: declared(meetings.flatMap((name) => [name, `${name}.go`])) },
    };
    const run = await system.up(await deploymentOf(nodes), {}, 'light');
    await until(() => assert.equal(lightMachines(system.lightRoot).length, writer + member), 60_000, 50);
    const configs = new Map(lightMachines(system.lightRoot).map((config) => [config.instance, config]));
    return {
      pid: system.pid,
      endpoint: (role, index) => JSON.stringify(configs.get(`${role}.${index}`)),
      async stop() {
        await run.down();
        await system.close();
      },
    };
  },
  async connect(endpoint) {
    const agent = new LightAgent(JSON.parse(endpoint) as LightConfig);
    await agent.join();
    await agent.connect();
    return new PacelineMember(agent);
  },
};

type Said = Parameters<LightAgent['say']>[number];

class PacelineMember implements Member {
  readonly #agent: LightAgent;
  #last: Promise<OpResult[]> = Promise.resolve([]);
  #told = (): void => {};
  #all = (_count: number): void => {};

  constructor(agent: LightAgent) {
    this.#agent = agent;
    agent.on = (event, data) => {
      if (event === 'value') this.#told();
      else if (event === 'values') this.#all(Object.keys((data as { values: object }).values).length);
    };
  }

  async set(name: string, value: string): Promise<void> {
    const [result] = await this.#say(this.#setting(name, value));
    assert.equal(result?.status, 'ok');
  }

  wait(name: string): Wait {
    return this.#await(`writer.1:${name}`);
  }

  /** The first waits for all, and passes the word on: what a recipe does that has no use for the values. */
  async barrier({ name, index }: Meeting): Promise<void> {
    const { woken, armed } = this.#await(`member.1:${name}.go`, this.#setting(name, '1'));
    if (index === 1) {
      await this.#gather(name);
      await this.set(`${name}.go`, '1');
    }
    await armed;
    await woken;
  }

  exchange({ name }: Meeting, address: string): Promise<number> {
    return this.#gather(name, this.#setting(name, address));
  }

  async #gather(name: string, ...before: Said[]): Promise<number> {
    const told = new Promise<number>((resolve) => (this.#all = resolve));
    const results = await this.#say(...before, { op: 'getAll', node: 'member', name, wait: true, ignoreAbort: false });
    const result = results.at(-1);
    return result?.status === 'values' && result.unset.length === 0 ? Object.keys(result.values).length : told;
  }

  #await(key: string, ...before: Said[]): Wait {
    const woken = new Promise<void>((resolve) => (this.#told = resolve));
    return { woken, armed: this.#say(...before, { op: 'get', key, wait: true, ignoreAbort: false }) };
  }

  /** One request at a time, as the protocol wants it. */
  #say(...ops: Said[]): Promise<OpResult[]> {
    this.#last = this.#last.then(() => this.#agent.say(...ops));
    return this.#last;
  }

  #setting(name: string, value: string): Said {
    return { op: 'set', key: `${this.#agent.config.instance}:${name}`, value, secret: false, ignoreAbort: false };
  }
}
