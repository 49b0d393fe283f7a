import type { Owner, TerminateResult } from '@paceline/engine/connector';
import { placesOf, releaseAddresses } from './address.ts';
import { inParallel } from './in-parallel.ts';
import { describeServers, findServers } from './inventory.ts';
import { endServer } from './launch.ts';
import { isEnding, toMachine } from './machine.ts';
import { removeGroups } from './security-group.ts';
import type { Session } from './session.ts';
import { readMetadata, type Tags } from './tags.ts';

/**
 * Ends machines, then gives back their addresses, and the groups of a run with its last machine. What they were is known only while
 * they are there: of those whose end another process has seen to, the rest is found by its tags at the end of the run.
 */
export class Endings {
  readonly #session: Session;
  readonly #ending = new Map<string, Tags>();

  constructor(session: Session) {
    this.#session = session;
  }

  async terminate(ids: readonly string[], signal: AbortSignal): Promise<TerminateResult[]> {
    const session = this.#session;
    await session.project(signal);
    const servers = (await describeServers(session, ids, signal)).filter((server) => toMachine(server)?.state !== 'terminated');
    for (const { id, metadata } of servers) {
      const tags = readMetadata(metadata);
      if (tags !== undefined) this.#ending.set(id, tags);
    }
    const going = servers.filter((server) => !isEnding(server));
    const [failure] = await inParallel(going, ({ id }) => endServer(session, id, signal));
    const there = new Set(servers.map(({ id }) => id));
    await this.#cleanUp(
      ids.filter((id) => !there.has(id)),
      signal,
    );
    if (failure !== undefined) throw failure;
    return ids.map((id) => ({ id, gone: !there.has(id) }));
  }

  async #cleanUp(gone: readonly string[], signal: AbortSignal): Promise<void> {
    const known = gone.flatMap((id) => {
      const tags = this.#ending.get(id);
      return tags === undefined ? [] : [tags];
    });
    if (known.length === 0) return;
    await releaseAddresses(this.#session, known.flatMap(placesOf), signal);
    const owners = new Map(known.map(({ owner }) => [`${owner.engine} ${owner.run}`, owner]));
    const over: Pick<Owner, 'engine' | 'run'>[] = [];
    for (const { engine, run } of owners.values()) {
      if ((await findServers(this.#session, { engine, run }, signal)).length === 0) over.push({ engine, run });
    }
    await removeGroups(this.#session, over, signal);
    for (const id of gone) this.#ending.delete(id);
  }
}
