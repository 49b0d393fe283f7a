import { runOfKey } from '../agents/key.ts';
import type { Run } from '../run/run.ts';
import { sha256 } from '../run/script-digest.ts';

/** Whose key is whose, of the runs that are driven here. Only hashes of keys are known. */
export class AgentIndex {
  readonly #byHash = new Map<string, { run: string; instance: string }>();

  add(keyHash: string, run: string, instance: string): void {
    this.#byHash.set(keyHash, { run, instance });
  }

  /** Takes the keys of all agents that have joined a run. */
  addRun(run: Run): void {
    for (const { keyHash, name } of run.instances.values()) if (keyHash !== null) this.add(keyHash, run.id, name);
  }

  dropRun(id: string): void {
    for (const [keyHash, { run }] of this.#byHash) if (run === id) this.#byHash.delete(keyHash);
  }

  /** The instance that a key belongs to; of an unknown one only the run that it claims to be of. */
  find(key: string): { run: string | undefined; instance: string | undefined } {
    return this.#byHash.get(sha256(key)) ?? { run: runOfKey(key), instance: undefined };
  }
}
