import { PacelineError } from '@paceline/model';
import type { Capabilities, Connector } from '../connector/index.ts';
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

export class Clouds {
  readonly #byName: ReadonlyMap<string, Cloud>;
  readonly #lines = new Map<string, CloudLine>();
  readonly #gates = new Map<string, CallGate>();

  constructor(clouds: readonly Cloud[]) {
    this.#byName = new Map(clouds.map((cloud) => [cloud.name, cloud]));
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  find(name: string): Cloud | undefined {
    return this.#byName.get(name);
  }

  /** The way to a cloud, which all who call it share. @throws PACELINE_CLOUD_UNKNOWN */
  line(name: string): CloudLine {
    const { connector } = this.get(name);
    const scope = connector.info.scope === undefined ? `cloud ${name}` : `${connector.info.name} ${connector.info.scope}`;
    const gate = getOrMake(this.#gates, scope, () => new CallGate(connector));
    return getOrMake(this.#lines, name, () => new CloudLine(name, connector, gate));
  }

  /** @throws PACELINE_CLOUD_UNKNOWN */
  get(name: string): Cloud {
    const cloud = this.#byName.get(name);
    if (cloud !== undefined) return cloud;
    throw new PacelineError('PACELINE_CLOUD_UNKNOWN', `There is no cloud ${name}`, { hint: `Configured are: ${this.names.join(', ')}.` });
  }
}
