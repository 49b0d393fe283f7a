import {
  matches,
  type Connector,
  type ConnectorContext,
  type Machine,
  type Offer,
  type OwnerQuery,
  type Quota,
  type Resource,
} from '../connector/index.ts';
import type { CallGate } from './call-gate.ts';
import type { CallFrame, CallKind } from './call-limit.ts';
import { SharedCalls } from './shared-calls.ts';

/** The way to one cloud for all runs of an engine. */
export class CloudLine {
  readonly connector: Connector;
  readonly #gate: CallGate;
  readonly #lists = new SharedCalls<OwnerQuery, Resource[]>();
  readonly #descriptions = new SharedCalls<readonly string[], Map<string, Machine>>();
  readonly #rooms = new SharedCalls<undefined, Room>();

  /** @param gate that of all connectors with the same credential */
  constructor(connector: Connector, gate: CallGate) {
    this.connector = connector;
    this.#gate = gate;
  }

  /** Makes a call when it may be made. @throws ConnectorError */
  call<T>(frame: CallFrame, kind: CallKind, call: (context: ConnectorContext) => Promise<T>): Promise<T> {
    return this.#gate.pass(frame, kind, call);
  }

  /** All that matches, as it was at some moment after this was asked. @throws ConnectorError */
  list(frame: CallFrame, query: OwnerQuery): Promise<Resource[]> {
    return this.#lists.ask(query, (take) =>
      this.call(frame, 'list', async (context) => {
        const wanted = commonQuery(take());
        const found: Resource[] = [];
        if (wanted !== undefined) for await (const resource of this.connector.list(wanted, context)) found.push(resource);
        return (one) => found.filter((resource) => matches(resource, one));
      }),
    );
  }

  /** What the cloud says of machines; what it does not know is absent. @throws ConnectorError */
  describe(frame: CallFrame, ids: readonly string[]): Promise<Map<string, Machine>> {
    return this.#descriptions.ask(ids, (take) =>
      this.call(frame, 'describe', async (context) => {
        const found = await this.connector.describe([...new Set(take().flat())], context);
        return (wanted) => new Map([...found].filter(([id]) => wanted.includes(id)));
      }),
    );
  }

  /** What may be had at once, and in which sizes. @throws ConnectorError */
  room(frame: CallFrame): Promise<Room> {
    return this.#rooms.ask(undefined, (take) =>
      this.call(frame, 'probe', async (context) => {
        take();
        const [quota, offers] = await Promise.all([this.connector.quota?.(context), this.connector.offers?.(context)]);
        return () => ({ ...(quota !== undefined && { quota }), ...(offers !== undefined && { offers }) });
      }),
    );
  }
}

/** What a cloud says that can be had of it; left out what it does not say. */
export interface Room {
  quota?: Quota;
  offers?: Offer[];
}

/** The narrowest query that finds what all of these ask for. All are of one engine. */
export function commonQuery(queries: readonly OwnerQuery[]): OwnerQuery | undefined {
  const [first, ...others] = queries;
  if (first === undefined) return undefined;
  const common = { ...first };
  if (others.some(({ run }) => run !== first.run)) delete common.run;
  if (others.some(({ token }) => token !== first.token)) delete common.token;
  return common;
}
