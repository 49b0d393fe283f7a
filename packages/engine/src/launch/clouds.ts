import { PacelineError } from '@paceline/model';
import { ConnectorError, type Capabilities, type Connector } from '../connector/index.ts';
import { getOrMake } from '../run/get-or-make.ts';
import { CallGate } from './call-gate.ts';
import { CloudLine } from './cloud-line.ts';

/** A configured, named use of a connector. */
export interface Cloud {
  name: string;
  connector: Connector;
  /** How its machines reach the engine. @default what the connector says */
  reach?: Capabilities['reach'];
}

export function reachOf({ connector, reach }: Cloud): Capabilities['reach'] {
  return reach ?? connector.capabilities.reach;
}

/** Whether machines of a cloud get the keys of their tunnels from the engine. */
export function givesTunnelKeys(cloud: Cloud): boolean {
  return reachOf(cloud) === 'tunnel' && cloud.connector.sshAccess === undefined;
}

/** A configured cloud that could not be opened yet. */
export interface ClosedCloud {
  name: string;
  /** Which code would speak to it. */
  connector: string;
  why: ConnectorError;
}

/** A cloud as it is configured. */
export type ConfiguredCloud = Cloud | ClosedCloud;

export function isClosed(cloud: ConfiguredCloud): cloud is ClosedCloud {
  return 'why' in cloud;
}

/** How long a cloud may hide a new machine that cannot say so, in milliseconds. */
const longestConsistencyMs = 5 * 60_000;

export class Clouds {
  readonly #byName: Map<string, ConfiguredCloud>;
  readonly #lines = new Map<string, CloudLine>();
  readonly #gates = new Map<string, CallGate>();
  /** Told when a cloud has come. */
  changed = (): void => {};

  constructor(clouds: readonly ConfiguredCloud[]) {
    this.#byName = new Map(clouds.map((cloud) => [cloud.name, cloud]));
  }

  /** Of all that are configured, in their order. */
  get names(): string[] {
    return [...this.#byName.keys()];
  }

  /** Those that could not be opened yet. */
  get closed(): ClosedCloud[] {
    return [...this.#byName.values()].filter(isClosed);
  }

  /** Adds a cloud, or opens one that was closed. One that is open stays as it is: runs have their machines there. */
  set(cloud: ConfiguredCloud): void {
    const present = this.#byName.get(cloud.name);
    if (present !== undefined && !isClosed(present)) return;
    this.#byName.set(cloud.name, cloud);
    if (!isClosed(cloud)) this.changed();
  }

  /** Undefined also for a cloud that is closed. */
  find(name: string): Cloud | undefined {
    const cloud = this.#byName.get(name);
    return cloud === undefined || isClosed(cloud) ? undefined : cloud;
  }

  /** How long a cloud may hide a new machine, in milliseconds. One that is not configured any more hides nothing. */
  listConsistencyMs(name: string): number {
    const cloud = this.#byName.get(name);
    if (cloud === undefined) return 0;
    return isClosed(cloud) ? longestConsistencyMs : cloud.connector.capabilities.listConsistencyMs;
  }

  /** The way to a cloud, which all who call it share. @throws as `get` */
  line(name: string): CloudLine {
    const { connector } = this.get(name);
    const scope = connector.info.scope === undefined ? `cloud ${name}` : `${connector.info.name} ${connector.info.scope}`;
    const gate = getOrMake(this.#gates, scope, () => new CallGate(connector));
    return getOrMake(this.#lines, name, () => new CloudLine(name, connector, gate));
  }

  /** @throws PACELINE_CLOUD_UNKNOWN, PACELINE_CLOUD_FAILED for one that is closed */
  get(name: string): Cloud {
    const cloud = this.#byName.get(name);
    if (cloud === undefined) {
      throw new PacelineError('PACELINE_CLOUD_UNKNOWN', `There is no cloud ${name}`, { hint: `Configured are: ${this.names.join(', ')}.` });
    }
    if (isClosed(cloud)) throw cloudClosed(cloud);
    return cloud;
  }
}

/** For those who call it, a cloud that is closed is one that does not answer. */
function cloudClosed({ name, why }: ClosedCloud): PacelineError {
  const { hint = 'It is tried again; `paceline clouds` shows when it is open.' } = why.details;
  const message = `The cloud ${name} cannot be used: ${why.message}`;
  const cause = new ConnectorError('unavailable', message, { cause: why, untouched: true, hint });
  return new PacelineError('PACELINE_CLOUD_FAILED', message, { cause, hint });
}
