import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connector } from '@paceline/engine';
import type { LightConfig } from './light-agent.ts';

/**
 * A cloud whose machines are files with their user data. Whoever reads them plays the machines: benchmarks do, to load a real
 * server with thousands of agents that have no scripts to run.
 */
export function lightCloud(root: string): Connector {
  mkdirSync(root, { recursive: true });
  const ids = (): string[] => readdirSync(root).filter((name) => !name.endsWith('.new'));
  const machine = (id: string, index: number) => ({
    id,
    index,
    name: id,
    state: 'running' as const,
    publicIps: [],
    privateIps: [`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`],
    createdAt: new Date(),
  });
  const indexOf = (id: string): number => Number(id.split('-').at(-1));
  return {
    info: { name: 'light', version: '0.0.0', api: 1 },
    capabilities: {
      userDataBytes: 16_384,
      maxBatch: 1000,
      idempotency: 'name',
      listConsistencyMs: 0,
      console: 'none',
      reach: 'host',
      snapshot: false,
    },
    async launch({ token, machines }) {
      return machines.map(({ index, userData }) => {
        const id = `${token}-${index}`;
        writeFileSync(join(root, `${id}.new`), userData);
        renameSync(join(root, `${id}.new`), join(root, id));
        return machine(id, index);
      });
    },
    async describe(wanted) {
      const known = new Set(ids());
      return new Map(wanted.filter((id) => known.has(id)).map((id) => [id, machine(id, indexOf(id))]));
    },
    async *list({ engine, token }) {
      for (const id of ids()) {
        if (token !== undefined && !id.startsWith(token)) continue;
        yield { kind: 'machine', id, name: id, owner: { engine, run: '' }, machine: machine(id, indexOf(id)) };
      }
    },
    async terminate(gone) {
      for (const id of gone) rmSync(join(root, id), { force: true });
      return gone.map((id) => ({ id, gone: true }));
    },
    probe: async () => ({ account: 'light', regions: [] }),
  };
}

/** What the user data of each machine tells it. */
export function lightMachines(root: string): LightConfig[] {
  return readdirSync(root)
    .filter((name) => !name.endsWith('.new'))
    .map((name) => JSON.parse(`{${/'("url".*)'/.exec(readFileSync(join(root, name), 'utf8'))?.[1] ?? ''}}`) as LightConfig);
}
