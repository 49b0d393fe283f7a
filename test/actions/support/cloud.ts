import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectorModule as local } from '@paceline/connector-local';
import { connectorModule as sandbox } from '@paceline/connector-sandbox';
import type { ConnectorModule, Resource } from '@paceline/engine/connector';
import { expect } from 'vitest';
import { processesWith } from '../../support/processes.ts';
import { until } from '../../support/until.ts';

/** What its machines are: processes, or systems with a real cloud-init. */
const connectors = { local, sandbox } satisfies Record<string, ConnectorModule>;
export type LastingKind = keyof typeof connectors;

/** A cloud that outlives jobs and runners, as a real one does: machines of a connector below a folder of its own. */
export class LastingCloud {
  readonly root: string;
  /** The file of clouds that names it. */
  readonly file: string;

  readonly #connector: ConnectorModule;

  private constructor(folder: string, kind: LastingKind) {
    this.#connector = connectors[kind];
    this.root = join(folder, 'cloud');
    this.file = join(folder, 'clouds.yaml');
  }

  static async open(kind: LastingKind = 'local'): Promise<LastingCloud> {
    const cloud = new LastingCloud(await mkdtemp(join(tmpdir(), 'paceline-lasting-')), kind);
    await writeFile(cloud.file, JSON.stringify({ clouds: { here: { connector: kind, root: cloud.root } } }));
    return cloud;
  }

  /** What the connector itself shows of the repository's runs: whoever made it. */
  async listing(): Promise<Resource[]> {
    const engine = createHash('sha256').update('engine github-456789').digest('hex').slice(0, 32);
    const connector = this.#connector.createConnector({ root: this.root });
    const context = { signal: AbortSignal.timeout(10_000), log: { info() {}, warn() {} }, now: Date.now };
    const found: Resource[] = [];
    for await (const resource of connector.list({ engine }, context)) found.push(resource);
    return found;
  }

  /** The processes of its machines. */
  processes(): string[] {
    return processesWith(this.root)
      .map(({ command }) => command)
      .filter((command) => !command.includes('paceline.mjs'));
  }

  /** Neither in the connector's own listing nor among the processes of this host. */
  async expectEmpty(timeoutMs = 5000): Promise<void> {
    expect(await this.listing()).toEqual([]);
    await until(() => expect(this.processes()).toEqual([]), timeoutMs);
  }

  async close(): Promise<void> {
    await rm(join(this.root, '..'), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
