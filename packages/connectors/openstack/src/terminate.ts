import { inParallel, valuesOf, type ConnectorContext, type Owner, type Tags, type TerminateResult } from '@paceline/engine/connector';
import { placesOf, releaseAddresses } from './address.ts';
import { describeServers, findServers } from './inventory.ts';
import { endServer } from './launch.ts';
import { isEnding, toMachine } from './machine.ts';
import { removeGroups } from './security-group.ts';
import type { Session } from './session.ts';
import { readMetadata } from './tags.ts';

/** Nova may lose what it has accepted, such as when its queue is restarted: after so long it is asked again, in milliseconds. */
const askAgainMs = 60_000;

interface Ending {
  tags: Tags;
  askedAt: number;
}

/**
 * Ends machines, then gives back their addresses, and the groups of a run with its last machine. What they were is known only while
 * they are there: of those whose end another process has seen to, the rest is found by its tags at the end of the run.
 */
export class Endings {
  readonly #session: Session;
  readonly #endings = new Map<string, Ending>();

  constructor(session: Session) {
    this.#session = session;
  }

  async terminate(ids: readonly string[], { signal, now }: Pick<ConnectorContext, 'signal' | 'now'>): Promise<TerminateResult[]> {
    const session = this.#session;
    await session.project(signal);
    const servers = (await describeServers(session, ids, signal)).filter((server) => toMachine(server)?.state !== 'terminated');
    const due = servers.filter((server) => !isEnding(server) || now() >= (this.#endings.get(server.id)?.askedAt ?? 0) + askAgainMs);
    const ended = await inParallel(
      due,
      async ({ id, metadata }) => {
        await endServer(session, id, signal);
        const tags = readMetadata(metadata);
        if (tags !== undefined) this.#endings.set(id, { tags, askedAt: now() });
      },
      { stop: true },
    );
    const there = new Set(servers.map(({ id }) => id));
    await this.#cleanUp(
      ids.filter((id) => !there.has(id)),
      signal,
    );
    valuesOf(ended);
    return ids.map((id) => ({ id, gone: !there.has(id) }));
  }

  async #cleanUp(gone: readonly string[], signal: AbortSignal): Promise<void> {
    const known = gone.flatMap((id) => {
      const tags = this.#endings.get(id)?.tags;
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
    for (const id of gone) this.#endings.delete(id);
  }
}
