import type { Account, Offer, Quota } from './account.ts';
import type { Capabilities } from './capabilities.ts';
import type { LaunchRequest } from './launch-request.ts';
import type { AttachedDisk, Machine, Resource, TerminateResult } from './machine.ts';
import type { MachineImage } from './machine-image.ts';
import type { OwnerQuery } from './owner.ts';
import type { SshAccess } from '../ssh/access.ts';
import type { SshAddress, WayIn } from './way-in.ts';

/**
 * Speaks to one kind of cloud with one credential. Stateless: what it made, the cloud knows by the tags it was given.
 * A connector never sleeps, never retries and never logs a secret; the engine does the first two once for all of them.
 * Every failure is a {@link ConnectorError} with one of its codes.
 */
export interface Connector {
  readonly info: {
    readonly name: string;
    readonly version: string;
    readonly api: 1;
    /** Whose limits its calls count against, such as a credential and a region: connectors of one scope are slowed down together. */
    readonly scope?: string;
    /** What machines boot whose module names no image, as the configuration names it. */
    readonly image?: string | undefined;
  };
  readonly capabilities: Capabilities;

  /**
   * Starts one machine for each of `request.indices` and returns as soon as they have ids, without waiting for them to boot.
   * Called again with the same token it must not make a second machine where the cloud can tell (`capabilities.idempotency`).
   */
  launch(request: LaunchRequest, context: ConnectorContext): Promise<Machine[]>;

  /** What the cloud says of these machines now. An id that the cloud does not know is absent from the answer. */
  describe(ids: readonly string[], context: ConnectorContext): Promise<Map<string, Machine>>;

  /** Every kind of thing that carries the owner's tags: all pages, or an error; never a silent part. */
  list(query: OwnerQuery, context: ConnectorContext): AsyncIterable<Resource>;

  /** Ends machines together with what was made for them. A machine that is not there counts as ended. */
  terminate(ids: readonly string[], context: ConnectorContext): Promise<TerminateResult[]>;

  /** Checks the credential cheaply and without side effects. */
  probe(context: ConnectorContext): Promise<Account>;

  /**
   * Where its credential leads now, in words that people understand and that never change for one account: together with what of it is
   * seen, such as the project, the region and the endpoint. Asked before and after each call of which the answer may be that something
   * is not there, so it asks the cloud once for each credential. Left out where there are no accounts, such as for machines of this host.
   */
  account?(context: ConnectorContext): Promise<string>;

  /** What the account may have at once. */
  quota?(context: ConnectorContext): Promise<Quota>;

  /** The sizes of machines that launches choose from, in the order in which they do. */
  offers?(context: ConnectorContext): Promise<Offer[]>;

  /** Removes one leaked resource that is not a machine. */
  remove?(resource: Resource, context: ConnectorContext): Promise<void>;

  /** The text that the machine wrote to its console, from the byte `since` on. */
  consoleLog?(id: string, since: number, context: ConnectorContext): Promise<{ text: string; next: number }>;

  /**
   * Keeps the disk of a machine as an image for others (`capabilities.snapshot`), tagged with the owner of the machine, and returns
   * when machines can be launched from it. The machine may run, and goes on. What the cloud has put into it for this machine alone,
   * such as its machine-id, its host keys and the state of cloud-init, is not in the image.
   * @param name `a-z0-9._-`, at most 100 characters; {@link MachineImage.image} need not be the same
   * @throws notFound, conflict when there is an image of this name, unsupported for this kind of machine
   */
  createImage?(id: string, name: string, context: ConnectorContext): Promise<MachineImage>;

  /**
   * What machines boot that are launched now from an image of this name, as `LaunchRequest.image` has it: words that are others as soon as
   * they would boot something else, such as the id that an alias leads to. A name that never means anything else may stand for itself.
   * @throws notFound when there is no such image
   */
  resolveImage?(image: string, context: ConnectorContext): Promise<string>;

  /**
   * Gives a machine that runs other resources, and returns when it has them. What is left out stays.
   * @throws notFound, unsupported, capacity
   */
  resize?(id: string, size: { cpus?: number; memoryMiB?: number }, context: ConnectorContext): Promise<void>;

  /**
   * Gives a machine that runs an empty disk beside its own, tagged as the machine is, and returns when the machine has it. It ends with
   * the machine. Asked again with the same token, a machine has one disk, not two.
   * @param disk size in GiB
   * @throws notFound, unsupported, capacity, quota, unavailable when it is not there yet
   */
  attachDisk?(id: string, disk: { token: string; gib: number }, context: ConnectorContext): Promise<AttachedDisk>;

  /** Takes a disk from a machine that {@link attachDisk} has given, and removes it. What is not there is no failure. */
  detachDisk?(id: string, disk: string, context: ConnectorContext): Promise<void>;

  /**
   * How the engine logs in to a machine for its tunnel, where that is not by the keys of the user data.
   * `scratch` is an absolute path, without quotes, of a directory on the machine for its own small files, gone with the machine: only the
   * account that it logs in to and root may write there. The user data is run with `PACELINE_TUNNEL` in its environment: the path at
   * which the machine itself sees the file `engine` of this directory.
   */
  sshAccess?(id: string, context: ConnectorContext): Promise<SshAccess & { scratch: string }>;

  /** Where the SSH server of a machine is reached from this host. @default port 22 of its address */
  sshAddress?(id: string, context: ConnectorContext): Promise<SshAddress>;

  /** What leads machines to a loopback URL of this host. @default the URL itself: connectors make it lead there */
  hostUrl?(url: string): string;

  /** How a person gets a shell on a machine, where that is not by SSH. */
  wayIn?(id: string, context: ConnectorContext): Promise<WayIn>;

  close?(): Promise<void>;
}

/** What the engine hands to every call. */
export interface ConnectorContext {
  /** Aborted when nobody waits for the answer any more. The call's effect may have happened all the same. */
  readonly signal: AbortSignal;
  readonly log: ConnectorLog;
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface ConnectorLog {
  info(message: string): void;
  warn(message: string): void;
}

/**
 * What a connector package exports as `connectorModule`, or by default. `Made` is a promise where a connector has to ask somebody what it
 * can do.
 */
export interface ConnectorModule<Made extends Connector | Promise<Connector> = Connector> {
  readonly name: string;
  /** A JSON Schema of the configuration, for people and editors. */
  readonly configSchema: Record<string, unknown>;
  /** @throws ConnectorError invalid, with what is wrong in the configuration */
  createConnector(config: Record<string, unknown>): Made;
}
