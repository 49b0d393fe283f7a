import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '@paceline/connector-host';
import type { ConnectorLog } from '@paceline/engine/connector';
import { turns } from '@paceline/engine/ssh';
import type { MachineRecord } from './machine-record.ts';
import type { Config } from './config.ts';
import type { ModuleCopies } from './module-copy.ts';
import { runnerProgram } from './runner-program.ts';
import type { Site } from './site.ts';
import type { Tool } from './tool.ts';

/** Sees to it that somebody works on machines that are not yet as they should be; a few at a time, those that are to end apart from others. */
export class Runners {
  readonly #site: Site;
  readonly #tool: Tool;
  readonly #copies: ModuleCopies;
  readonly #patience: readonly number[];
  readonly #lanes: Record<'make' | 'end', ReturnType<typeof turns>>;
  readonly #underWay = new Set<string>();
  #closed = false;

  constructor(site: Site, tool: Tool, copies: ModuleCopies, { atOnce, patienceSeconds, graceSeconds, mercySeconds }: Config) {
    this.#site = site;
    this.#tool = tool;
    this.#copies = copies;
    this.#patience = [patienceSeconds, graceSeconds, mercySeconds];
    this.#lanes = { make: turns(atOnce), end: turns(atOnce) };
  }

  /** Does not wait. Whoever comes second, from whatever process, finds the machine locked and leaves it alone. */
  attend({ id, module }: Pick<MachineRecord, 'id' | 'module'>, what: 'make' | 'end', log: ConnectorLog): void {
    const key = `${what} ${id}`;
    if (this.#closed || this.#underWay.has(key)) return;
    this.#underWay.add(key);
    void this.#lanes
      [what](() => (this.#closed ? Promise.resolve() : this.#work(id, module, what)))
      .catch((error: unknown) => log.warn(`${id}: ${String(error)}`))
      .finally(() => this.#underWay.delete(key));
  }

  /** Begins nothing more. What is under way goes on without us. */
  close(): void {
    this.#closed = true;
  }

  async #work(id: string, module: string, what: 'make' | 'end'): Promise<void> {
    const machine = join(this.#site.machines, id);
    try {
      // What was never begun ends without providers.
      if (what === 'make' || (await isThere(join(machine, 'terraform.tfstate')))) await this.#copies.ready(module);
    } catch (error) {
      return this.#note(machine, what, error);
    }
    const args = [
      '-c',
      runnerProgram,
      'sh',
      this.#tool.path,
      machine,
      this.#copies.path(module),
      join(this.#site.staging, `gone-${randomUUID()}`),
      ...this.#patience.map(String),
    ];
    // A session of its own: Ctrl-C on the engine's terminal does not reach it.
    const child = spawn('sh', args, { detached: true, stdio: 'ignore', env: this.#tool.env });
    child.unref();
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => resolve());
    });
  }

  async #note(machine: string, what: 'make' | 'end', error: unknown): Promise<void> {
    const why = error instanceof Error ? error.message : String(error);
    try {
      await writeFile(join(machine, what === 'make' ? 'failed' : 'stuck'), `${why.replaceAll('\n', ' ')}\n`);
    } catch (cause) {
      // It has gone meanwhile.
      if (!hasCode(cause, 'ENOENT')) throw cause;
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
