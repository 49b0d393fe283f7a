import {
  ConnectorError,
  isConnectorError,
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
import { otherAccount } from './other-account.ts';
import { SharedCalls } from './shared-calls.ts';

/** The way to one cloud for all runs of an engine. */
export class CloudLine {
  readonly connector: Connector;
  readonly #name: string;
  readonly #gate: CallGate;
  readonly #lists = new SharedCalls<OwnerQuery, Seen<Resource[]>>();
  readonly #descriptions = new SharedCalls<readonly string[], Seen<Map<string, Machine>>>();
  readonly #rooms = new SharedCalls<undefined, Room>();

  /** @param gate that of all connectors with the same credential */
  constructor(name: string, connector: Connector, gate: CallGate) {
    this.#name = name;
    this.connector = connector;
    this.#gate = gate;
  }

  /** Makes a call when it may be made. @throws ConnectorError */
  call<T>(frame: CallFrame, kind: CallKind, call: (context: ConnectorContext) => Promise<T>): Promise<T> {
    return this.#gate.pass(frame, kind, call);
  }

  /** Where its credential leads; undefined where there are no accounts. @throws ConnectorError */
  async account(frame: CallFrame): Promise<string | undefined> {
    const { connector } = this;
    return connector.account === undefined ? undefined : this.call(frame, 'probe', async (context) => connector.account?.(context));
  }

  /**
   * Makes a call whose answer is true of one account alone, such as that something is not there.
   * @param account in which it is asked; undefined where there are no accounts
   * @throws ConnectorError `auth`, without having called, when the credential leads elsewhere
   */
  async callIn<T>(
    frame: CallFrame,
    account: string | undefined,
    kind: CallKind,
    call: (context: ConnectorContext) => Promise<T>,
  ): Promise<T> {
    const seen = await this.call(frame, kind, async (context) => {
      const present = await this.connector.account?.(context);
      return present === account ? this.#inOneAccount(context, call) : { account: present };
    });
    return this.#believed(seen, account);
  }

  /** All that matches, as it was at some moment after this was asked. @param account as of `callIn` @throws ConnectorError */
  async list(frame: CallFrame, account: string | undefined, query: OwnerQuery): Promise<Resource[]> {
    const seen = await this.#lists.ask(query, (take) =>
      this.call(frame, 'list', async (context) => {
        const wanted = commonQuery(take());
        const { answer: found, ...where } = await this.#inOneAccount(context, async () => {
          const all: Resource[] = [];
          if (wanted !== undefined) for await (const resource of this.connector.list(wanted, context)) all.push(resource);
          return all;
        });
        return (one) => ({ ...where, answer: found.filter((resource) => matches(resource, one)) });
      }),
    );
    return this.#believed(seen, account);
  }

  /** What the cloud says of machines; what it does not know is absent. @param account as of `callIn` @throws ConnectorError */
  async describe(frame: CallFrame, account: string | undefined, ids: readonly string[]): Promise<Map<string, Machine>> {
    const seen = await this.#descriptions.ask(ids, (take) =>
      this.call(frame, 'describe', async (context) => {
        const { answer: found, ...where } = await this.#inOneAccount(context, () =>
          this.connector.describe([...new Set(take().flat())], context),
        );
        return (wanted) => ({ ...where, answer: new Map([...found].filter(([id]) => wanted.includes(id))) });
      }),
    );
    return this.#believed(seen, account);
  }

  /**
   * What machines boot now of an image of this name; undefined where the connector does not say.
   * @param account as of `callIn`
   * @throws ConnectorError `notFound` when there is no such image
   */
  async resolveImage(frame: CallFrame, account: string | undefined, image: string): Promise<string | undefined> {
    const { connector } = this;
    if (connector.resolveImage === undefined) return undefined;
    return this.callIn(frame, account, 'resolveImage', async (context) => connector.resolveImage?.(image, context));
  }

  /** Whether there is an image of this name, as far as the connector says. @param account as of `callIn` @throws ConnectorError */
  async hasImage(frame: CallFrame, account: string | undefined, image: string): Promise<boolean> {
    try {
      await this.resolveImage(frame, account, image);
      return true;
    } catch (error) {
      if (isConnectorError(error) && error.code === 'notFound') return false;
      throw error;
    }
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

  /** Credentials are renewed behind our back: who is asked before a call need not be who has answered it. */
  async #inOneAccount<T>(context: ConnectorContext, call: (context: ConnectorContext) => Promise<T>): Promise<Seen<T>> {
    const account = await this.connector.account?.(context);
    const answer = await call(context);
    if ((await this.connector.account?.(context)) === account) return { account, answer };
    throw new ConnectorError('unavailable', 'its credentials have led to another account in the middle of a call');
  }

  /** Outside of the calls: a credential of another account says nothing of the cloud, which others may have business with. */
  #believed<T>(seen: Seen<T> | Pick<Seen<T>, 'account'>, wanted: string | undefined): T {
    if ('answer' in seen && seen.account === wanted) return seen.answer;
    throw otherAccount({ cloud: this.#name, wanted, present: seen.account });
  }
}

/** What a cloud has said, and in which account. */
interface Seen<T> {
  account: string | undefined;
  answer: T;
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
