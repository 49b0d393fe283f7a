import type { Clock } from '../clock.ts';
import type { AgentConfig } from '../config.ts';
import type { Engine } from '../link/http.ts';
import type { OpsQueue } from '../link/ops.ts';
import type { Masker } from '../output/mask.ts';
import type { Output } from '../output/output.ts';
import type { Paths } from '../paths.ts';
import type { Store } from './store.ts';

/** What every step needs to do its work and to tell of it. */
export interface Bench {
  config: AgentConfig;
  paths: Paths;
  engine: Engine;
  store: Store;
  output: Output;
  masker: Masker;
  clock: Clock;
  bootId: string;
  /** The environment of all scripts. */
  env: Record<string, string>;
  ops: Pick<OpsQueue, 'send'>;
  log: (line: string) => void;
  /** Bytes of a log that the engine said it has. */
  stored: (source: string) => number;
}

/** How a step ended. */
export interface Outcome {
  status: 'done' | 'failed' | 'stopped';
  exitCode?: number | undefined;
  message?: string | undefined;
}
