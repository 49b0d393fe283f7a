import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { openHosts, whyNoHosts, type TestHosts } from '@paceline/connector-ssh/testing';
import { Person } from './command.ts';
import { until } from './until.ts';

export { whyNoHosts };

/** A person with a room of hosts that cannot reach the engine: it listens on the loopback address of another network. */
export class Lab {
  readonly room: TestHosts;
  readonly person: Person;

  private constructor(room: TestHosts, person: Person) {
    this.room = room;
    this.person = person;
  }

  static async open(count: number, settings: Record<string, unknown> = {}): Promise<Lab> {
    const lab = new Lab(await openHosts(count), await Person.arrive());
    const clouds = { lab: { connector: 'ssh', ...lab.room.config(settings) } };
    await writeFile(join(lab.person.state, 'clouds.yaml'), JSON.stringify({ clouds }));
    return lab;
  }

  /** Writes a deployment of one node, and starts a run of it. */
  async start(deploy: string, multiplicity: number): Promise<string> {
    const folder = join(this.person.state, 'module');
    await mkdir(folder, { recursive: true });
    const module = (kind: string, spec: object): string =>
      JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name: 'lab' }, spec });
    const image = { parameters: { go: {}, done: { output: true } }, scripts: { deploy: `#!/bin/sh\nset -e\n${deploy}\n` } };
    await writeFile(join(folder, 'image.yaml'), module('Image', image));
    const node = { image: './image.yaml', multiplicity };
    await writeFile(join(folder, 'deployment.yaml'), module('Deployment', { nodes: { node }, onStall: 'wait' }));
    const up = await this.person.type(['up', join(folder, 'deployment.yaml'), '--detach', '--json']);
    assert.equal(up.code, 0, up.stderr);
    const { runs } = await this.json<{ runs: { id: string }[] }>('list');
    return runs[0]?.id ?? '';
  }

  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.person.type([...args, '--json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as T;
  }

  status(run: string): Promise<RunDetail> {
    return this.json('status', run);
  }

  /** Waits until a run is as it should be. */
  until(run: string, is: (detail: RunDetail) => boolean, timeoutMs = 100_000): Promise<RunDetail> {
    return until(
      async () => {
        const detail = await this.status(run);
        assert.ok(is(detail), `the run is ${detail.state}: ${JSON.stringify(detail.instances)} ${JSON.stringify(detail.abort)}`);
        return detail;
      },
      timeoutMs,
      500,
    );
  }

  /** Ends the engine, as a crash would. The next command finds that and starts another one. */
  async killEngine(): Promise<void> {
    const { pid } = JSON.parse(await readFile(join(this.person.state, 'engine.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await until(() => assert.ok(!existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')));
  }

  /** Waits until the log of the engine holds a text, and returns the log. */
  logHas(text: string): Promise<string> {
    return until(async () => {
      const log = await readFile(join(this.person.state, 'engine.log'), 'utf8');
      assert.ok(log.includes(text), log.slice(-2000));
      return log;
    });
  }

  async close(): Promise<void> {
    for (const { id } of (await this.json<{ runs: { id: string }[] }>('list', '--active')).runs) await this.person.type(['down', id]);
    const left = this.room.hosts.flatMap((host) => host.processes());
    await this.person.leave();
    await this.room[Symbol.asyncDispose]();
    assert.deepEqual(left, []);
  }
}
