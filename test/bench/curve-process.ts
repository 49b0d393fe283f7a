/** One simulated run in an engine of its own, its agents in the same process: `curve-process.ts SIZE`. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StreamEvents } from '@paceline/api';
import { type Agent, Clouds, createCipher, Engine, openDatabase, ReportFiles, RunStore } from '@paceline/engine';
import type { LightConfig } from '../support/light-agent.ts';
import { lightCloud, lightMachines } from '../support/light-cloud.ts';
import { deploymentOf } from '../support/recipes.ts';
import { until } from '../support/until.ts';
import type { Cost } from './curve.ts';

const size = Number(process.argv[2]);
const folder = await mkdtemp(join(tmpdir(), 'paceline-curve-'));
const machines = join(folder, 'machines');
const unheard = (): void => {};
const engine = new Engine({
  store: await RunStore.open(await openDatabase(':memory:'), createCipher(randomBytes(32))),
  clouds: new Clouds([{ name: 'light', connector: lightCloud(machines) }]),
  reports: new ReportFiles(join(folder, 'reports'), 1024 * 1024),
  log: { info: unheard, warn: console.error },
  key: randomBytes(32),
  agentSha256: 'a'.repeat(64),
  url: () => 'http://127.0.0.1:1',
});
await engine.load();
engine.start();

/** Does at once what it is assigned: publishes an address, gets everybody's, and completes. */
class Follower {
  readonly #agent: Agent;
  readonly #address: string;
  #session = '';
  #lastOp = 0;
  #seq = 0;

  constructor(agent: Agent, address: string) {
    this.#agent = agent;
    this.#address = address;
  }

  connect(): void {
    const leave = this.#agent.connect(() => ({ send: (event, data) => this.#hear(event, data), close: () => leave() }));
  }

  #hear<E extends keyof StreamEvents>(event: E, data: StreamEvents[E]): void {
    if (event === 'hello') {
      const { session, lastOp, assignment } = data as StreamEvents['hello'];
      [this.#session, this.#lastOp] = [session, lastOp];
      this.#do(assignment);
    } else if (event === 'assignment') this.#do(data as StreamEvents['assignment']);
    else if (event === 'values') this.#complete();
  }

  #do({ seq, state, completed }: StreamEvents['assignment']): void {
    if (completed || seq === this.#seq) return;
    this.#seq = seq;
    if (state !== 'Executing') return this.#complete();
    const { name: instance } = this.#agent;
    void this.#agent
      .ops({
        session: this.#session,
        ops: [
          { op: 'set', id: ++this.#lastOp, key: `${instance}:address`, value: this.#address, secret: false, ignoreAbort: false },
          { op: 'getAll', node: 'worker', name: 'address', wait: true, ignoreAbort: false },
        ],
      })
      .then(([, all]) => all?.status === 'values' && this.#complete());
  }

  #complete(): void {
    void this.#agent.ops({ session: this.#session, ops: [{ op: 'complete', id: ++this.#lastOp, seq: this.#seq }] });
  }
}

async function joinAndConnect({ instance, secret }: LightConfig): Promise<void> {
  const key = `pla_${run.id}_${randomBytes(16).toString('hex')}`;
  const keyHash = createHash('sha256').update(key).digest('hex');
  await engine.join({ run: run.id, instance, secret, keyHash, agentVersion: '0', nodeVersion: '0', bootId: '0' });
  new Follower(await engine.authenticate(key), '10.0.0.1').connect();
}

const deployment = await deploymentOf(
  { worker: { multiplicity: size, parameters: { address: { output: true } }, scripts: { deploy: 'true' } } },
  { keepRunning: 'always' },
);
globalThis.gc?.();
const [heap, cpu] = [process.memoryUsage().heapUsed, process.cpuUsage()];
const { run } = await engine.createRun({ deployment, cloud: 'light', parameters: {}, tags: [] }, 'bench');
await until(() => assert.equal(lightMachines(machines).length, size), 120_000, 5);
const joining = lightMachines(machines);
for (let first = 0; first < joining.length; first += 50) await Promise.all(joining.slice(first, first + 50).map(joinAndConnect));
await until(() => assert.equal(engine.findActive(run.id)?.run.facts.state, 'Ready'), 120_000, 5);
globalThis.gc?.();
const heapKiB = (process.memoryUsage().heapUsed - heap) / 1024;
await engine.terminate(run.id, 'bench');
await until(() => assert.equal(engine.findActive(run.id), undefined), 120_000, 5);
const { user, system } = process.cpuUsage(cpu);
await engine.close();
await rm(folder, { recursive: true });
process.send?.({ cpuMs: (user + system) / 1000, heapKiB } satisfies Cost);
