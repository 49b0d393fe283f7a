import type { Statement } from '@paceline/engine';
import type { Kernel } from '../kernel/kernel.ts';
import type { Process } from '../kernel/process.ts';
import type { Checks } from './checks.ts';

/** Who gave a sign of life in this time is not dead, in milliseconds. */
const aliveMs = 10_000;

/** Who is taken for dead. */
export class ReplicaChecks {
  readonly #checks: Checks;
  readonly #kernel: Kernel;
  /** By the name of a replica, when its last sign of life was stored, in milliseconds since the beginning. */
  readonly #signs = new Map<string, { process: Process; at: number }>();

  constructor(checks: Checks, kernel: Kernel) {
    this.#checks = checks;
    this.#kernel = kernel;
  }

  /** A transaction of a process is on disk. */
  stored(process: Process, statements: readonly Statement[]): void {
    for (const { sql, values } of statements) {
      if (sql.startsWith('INSERT INTO replicas')) this.#sign(String(values[0]), process);
      else if (sql.startsWith('UPDATE replicas')) this.#sign(String(values[2]), process);
      else if (sql.startsWith('DELETE FROM replicas')) this.#buried(String(values[0]), process);
    }
  }

  #sign(id: string, process: Process): void {
    this.#signs.set(id, { process, at: this.#kernel.elapsed });
  }

  #buried(id: string, by: Process): void {
    const sign = this.#signs.get(id);
    this.#signs.delete(id);
    if (sign === undefined || sign.process === by || this.#kernel.elapsed >= sign.at + aliveMs) return;
    const ms = Math.round(this.#kernel.elapsed - sign.at);
    this.#checks.fail('nobody is taken for dead who gives signs of life', `${sign.process.name} by ${by.name}, ${ms} ms after its last`);
  }
}
