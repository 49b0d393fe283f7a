import type { Duplex } from 'node:stream';
import type { Budget } from '@paceline/model';
import type { Runtime } from '../bootstrap/user-data.ts';
import type { Clock } from '../clock.ts';
import type { ConnectorLog } from '../connector/index.ts';
import type { Clouds } from '../launch/clouds.ts';
import type { ReportFiles } from '../reports/report-files.ts';
import type { RunStore } from '../store/run-store.ts';
import type { RetentionPolicy } from './retention.ts';

export interface EngineOptions {
  store: RunStore;
  clouds: Clouds;
  reports: ReportFiles;
  log: ConnectorLog;
  /** 32 bytes that only this engine has. */
  key: Buffer;
  /** Engines with the same tag know each other's machines on the clouds. @default only this engine does, by its key */
  ownerTag?: string;
  /** SHA-256 of the agent bundle that machines have to fetch. */
  agentSha256: string;
  /** The Node.js for machines without one, to be fetched as the agent is; asked when such machines are launched. @default none */
  runtime?(): Promise<Runtime | undefined>;
  /** Where machines reach this engine; asked at each launch. */
  url(): string;
  /** Takes a connection of an agent that came through a tunnel. Without it no machine can be reached that way. */
  accept?(channel: Duplex): void;
  /** Where the other replicas of a shared store reach this one. @default url */
  replicaUrl?(): string;
  /** @default 90 days for runs, 30 for their logs and reports */
  retention?: RetentionPolicy;
  /** The most that each run may cost. @default none */
  budget?: Budget;
  clock?: Clock;
  random?: () => number;
}
