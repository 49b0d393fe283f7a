import type { Connector, ConnectorErrorCode } from '../connector/index.ts';
import type { FaultProxy, ProxiedAnswer, ProxiedRequest } from './fault-proxy.ts';

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
  /** Why machines do nothing, as those of an emulator do: what would run in them is not checked. */
  lifeless?: string;
  /** Is told by what engine a check's machines go before it makes any, and again when nothing of that engine is left. */
  journal?: { begin(engine: string): void; end(engine: string): void };
  /** A way to the same account on which requests can be lost. Without it, that is not checked. */
  faults?: FaultySubject;
}

/** A cloud that is spoken to over HTTP, through a proxy that does what networks and clouds do. */
export interface FaultySubject {
  /** A connector of its own, and the proxy that its requests go through. */
  open(): Promise<{ connector: Connector; proxy: FaultProxy }>;
  /** Its first calls wait for one log-in, which is one request for all of them. @default false */
  logsIn?: boolean;
  /** Whether a request makes machines. */
  isLaunch(request: ProxiedRequest): boolean;
  /** How the cloud refuses, and what that means. */
  refusals: { why: string; answer: ProxiedAnswer; code: ConnectorErrorCode; retryAfterMs?: number }[];
}
