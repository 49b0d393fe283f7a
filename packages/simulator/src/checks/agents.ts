import type { Assignment, JoinRequest } from '@paceline/api/agent';
import { hashOf } from '../agents/key.ts';
import type { Process } from '../kernel/process.ts';
import type { Checks } from './checks.ts';
import type { StoredChange, StoredRun } from './stored.ts';

interface Who {
  run: string;
  instance: string;
}

/** How long after its launch a machine that has not joined is given up at the earliest, as far as agents may count on it. */
const surelyAwaitedMs = 55_000;

/** Who is let in, and what becomes of the work that is asked of them. */
export class AgentChecks {
  readonly #checks: Checks;
  /** What agents have truly done, as `run instance seq`. */
  readonly #completed = new Set<string>();
  /** The tokens of the launches that gave machines their secrets, by secret. */
  readonly #launches = new Map<string, string>();
  /** The hashes of keys that were let in. */
  readonly #joined = new Set<string>();

  constructor(checks: Checks) {
    this.#checks = checks;
  }

  /** The launch with this token has made a machine with this secret. */
  equipped(secret: string, token: string): void {
    this.#launches.set(secret, token);
  }

  /** An engine has answered that the agent is in. */
  joined({ run, instance, keyHash }: JoinRequest): void {
    const stored = this.#checks.runOf(run)?.instances.get(instance);
    if (this.#joined.has(keyHash)) this.#checks.saw('a join was repeated');
    this.#joined.add(keyHash);
    if (stored?.keyHash !== keyHash)
      this.#checks.fail('nobody hears of what is not stored', `${instance} of ${run} is told that it has joined`);
  }

  stored({ run, instances }: StoredChange): void {
    for (const [name, before] of instances) {
      const instance = run.instances.get(name);
      if (before === undefined || instance === undefined) continue;
      if (before.keyHash !== null && instance.keyHash !== before.keyHash)
        this.#checks.fail('the secret of a machine is good once', `${name} of ${run.id}`);
      if (instance.dropped && !before.dropped) this.#checkTolerance(run, instance.node);
    }
  }

  /** Somebody without a secret has been let in. */
  intruded(who: string): void {
    this.#checks.fail('nobody joins without the secret', who);
  }

  #checkTolerance(run: StoredRun, node: string): void {
    const { maxProvisioningFailures = 0 } = run.plan.nodes[node] ?? {};
    const dropped = [...run.instances.values()].filter((instance) => instance.node === node && instance.dropped).length;
    if (dropped > maxProvisioningFailures)
      this.#checks.fail(
        'no more machines fail than a node tolerates',
        `${dropped} of ${node} in ${run.id}, tolerated are ${maxProvisioningFailures}`,
      );
  }

  /** An engine has refused a machine. */
  refused(process: Process, { run: id, instance: name, keyHash, secret }: JoinRequest): void {
    const launch = this.#launches.get(secret);
    if (launch === undefined) return;
    const run = this.#checks.runOf(id);
    const instance = run?.instances.get(name);
    this.#checks.saw('a join was refused');
    if (instance !== undefined && instance.keyHash !== null && instance.keyHash !== keyHash)
      this.#checks.saw('a machine came up that nobody knew of');
    if (run === undefined || instance === undefined || instance.dropped || run.facts.outcome !== null) return;
    const { launchedAt, token } = instance.machine;
    // Its cloud made it all the same, after saying that it could not: another is launched in its place.
    if (launch !== token) return;
    const isFree = instance.keyHash === null || instance.keyHash === keyHash;
    const inTime = launchedAt === null || process.clock.now() < launchedAt + surelyAwaitedMs;
    if (isFree && (inTime || instance.keyHash === keyHash))
      this.#checks.fail('a machine that is waited for is let in', `${name} of ${id} is refused by ${process.name}`);
  }

  /** An engine does not know the key of an agent: it will never come back. */
  turnedAway(process: Process, key: string): void {
    const keyHash = hashOf(key);
    for (const run of this.#checks.stored.runs.values()) {
      if (run.facts.endedAt !== null) continue;
      for (const instance of run.instances.values()) {
        if (instance.keyHash === keyHash)
          this.#checks.fail('an agent that has joined is never turned away', `${instance.name} of ${run.id} by ${process.name}`);
      }
    }
  }

  /** An agent that has joined has shown its key. */
  came(isFirst: boolean): void {
    if (!isFirst) this.#checks.saw('a joined agent came back with its key');
  }

  /** An agent has been told what to do. */
  assigned({ run, instance }: Who, { seq, state }: Assignment): void {
    const facts = this.#checks.runOf(run)?.facts;
    if (facts === undefined || seq > facts.seq) this.#checks.fail('nobody hears of what is not stored', `${instance} is to do ${state}`);
  }

  /** An agent has done all that a state asked of it. */
  completing({ run, instance }: Who, seq: number): void {
    this.#completed.add(`${run} ${instance} ${seq}`);
  }

  hasCompleted(run: string, instance: string, seq: number): boolean {
    return this.#completed.has(`${run} ${instance} ${seq}`);
  }
}
