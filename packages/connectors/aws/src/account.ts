import {
  EC2Client,
  paginateDescribeImages,
  paginateDescribeInstances,
  paginateDescribeNetworkInterfaces,
  paginateDescribeSecurityGroups,
  paginateDescribeSnapshots,
  paginateDescribeVolumes,
  type Filter,
  type Image,
  type Instance,
  type NetworkInterface,
  type SecurityGroup,
  type Snapshot,
  type Volume,
} from '@aws-sdk/client-ec2';
import { ConnectorError } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { toConnectorError } from './failure.ts';

const pageSize = 200;

export const withoutNetwork = 'an account without a network';

/** EC2 in one region for one credential. Retries are the engine's: the SDK makes none. */
export class Account {
  readonly #client: EC2Client;
  /** Whose the access key is that was last used. */
  #owner: { key: string; name: string } | undefined;

  constructor({ region, profile, endpoint }: Config) {
    this.#client = new EC2Client({
      region,
      maxAttempts: 1,
      ...(profile !== undefined && { profile }),
      ...(endpoint !== undefined && { endpoint }),
      // Nothing is said to the standard output or error; failures are thrown.
      logger: { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore },
      requestHandler: { connectionTimeout: 10_000, requestTimeout: 60_000, socketAcquisitionWarningTimeout: 600_000 },
    });
  }

  /** Makes one call. @param doing for people: `launch machines` @throws ConnectorError */
  async ask<T>(
    doing: string,
    signal: AbortSignal,
    call: (client: EC2Client, options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    checkAborted(signal, doing);
    try {
      return await call(this.#client, { abortSignal: signal });
    } catch (error) {
      throw toConnectorError(error, doing, signal);
    }
  }

  /**
   * Whose the present credentials are: the number of an AWS account. They are renewed behind our back, and an access key stays with its
   * account: each is asked for once.
   */
  async owner(signal: AbortSignal): Promise<string> {
    const { accessKeyId: key, accountId } = await this.ask('find credentials', signal, (client) => client.config.credentials());
    if (this.#owner?.key !== key) this.#owner = { key, name: (await this.askOwner(signal)) ?? accountId ?? withoutNetwork };
    return this.#owner.name;
  }

  /** Asks EC2 whose the credentials are. @returns undefined for an account without a network */
  async askOwner(signal: AbortSignal): Promise<string | undefined> {
    // The default group of a network is its owner's, and is there as long as the network is.
    const [group] = await this.groups([{ Name: 'group-name', Values: ['default'] }], signal);
    return group?.OwnerId;
  }

  instances(filters: Filter[], signal: AbortSignal): Promise<Instance[]> {
    return this.ask('list machines', signal, (client, options) =>
      collect(paginateDescribeInstances({ client, pageSize }, { Filters: filters }, options), ({ Reservations }) =>
        Reservations?.flatMap(({ Instances }) => Instances ?? []),
      ),
    );
  }

  groups(filters: Filter[], signal: AbortSignal): Promise<SecurityGroup[]> {
    return this.ask('list security groups', signal, (client, options) =>
      collect(paginateDescribeSecurityGroups({ client, pageSize }, { Filters: filters }, options), ({ SecurityGroups }) => SecurityGroups),
    );
  }

  /** @param owners whose @default all that may be seen */
  images(filters: Filter[], signal: AbortSignal, owners?: string[]): Promise<Image[]> {
    return this.ask('list images', signal, (client, options) =>
      collect(
        paginateDescribeImages({ client, pageSize }, { Filters: filters, ...(owners !== undefined && { Owners: owners }) }, options),
        ({ Images }) => Images,
      ),
    );
  }

  volumes(filters: Filter[], signal: AbortSignal): Promise<Volume[]> {
    return this.ask('list volumes', signal, (client, options) =>
      collect(paginateDescribeVolumes({ client, pageSize }, { Filters: filters }, options), ({ Volumes }) => Volumes),
    );
  }

  snapshots(filters: Filter[], signal: AbortSignal): Promise<Snapshot[]> {
    return this.ask('list snapshots', signal, (client, options) =>
      collect(
        paginateDescribeSnapshots({ client, pageSize }, { Filters: filters, OwnerIds: ['self'] }, options),
        ({ Snapshots }) => Snapshots,
      ),
    );
  }

  interfaces(filters: Filter[], signal: AbortSignal): Promise<NetworkInterface[]> {
    return this.ask('list network interfaces', signal, (client, options) =>
      collect(
        paginateDescribeNetworkInterfaces({ client, pageSize }, { Filters: filters }, options),
        ({ NetworkInterfaces }) => NetworkInterfaces,
      ),
    );
  }

  close(): void {
    this.#client.destroy();
  }
}

function ignore(): void {}

/** @throws ConnectorError timeout when nobody waits for the answer */
export function checkAborted(signal: AbortSignal, doing: string): void {
  if (signal.aborted) throw new ConnectorError('timeout', `Gave up to ${doing}: the call was aborted`, { cause: signal.reason });
}

/** All pages; a page that is empty may be followed by one that is not. */
async function collect<Page, Item>(pages: AsyncIterable<Page>, itemsOf: (page: Page) => Item[] | undefined): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...(itemsOf(page) ?? []));
  return items;
}
