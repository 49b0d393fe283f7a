import type { Connector, ConnectorErrorCode } from '../connector/index.ts';

/** A connector under test, with what a check has to know of its cloud. */
export interface ConformanceSubject {
  /** Another object for the same account whenever it is called: what one has made, all others see. */
  createConnector: () => Connector;
  /** The image of the machines, as a launch names it; empty where the cloud has none. */
  image: string;
  /** How long a machine may take from its launch until its user data runs, and from an end to its being gone, in milliseconds. */
  patienceMs: number;
  /** An address of this host that is reached from the machines. Without it, nothing that runs in machines is checked. */
  host?: string;
  /** How many machines may be there at once. @default 3 */
  machines?: number;
  /**
   * Who ends a machine at its end of life: the connector, or the machine itself. Where it is the machine, the checks see to it that a
   * machine that powers itself off is not taken for one that runs. @default 'machine'
   */
  endOfLife?: 'connector' | 'machine';
  /** An image that does not exist. */
  unknownImage?: string;
  /** Connectors that cannot work, and what `probe` has to say about them. */
  broken?: { why: string; connector: Connector; code: ConnectorErrorCode }[];
}
