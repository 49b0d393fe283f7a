import type { OpResult } from '@paceline/api/agent';
import type { Backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { AgentConfig } from '../config.ts';
import type { Engine } from '../link/http.ts';
import type { OpDraft } from '../link/ops.ts';
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
  send: (draft: OpDraft) => Promise<OpResult>;
  log: (line: string) => void;
  backoff: () => Backoff;
  /** Bytes of a log that the engine said it has. */
  stored: (source: string) => number;
}

/** How a step ended. */
export interface Outcome {
  status: 'done' | 'failed' | 'stopped';
  exitCode?: number | undefined;
  message?: string | undefined;
}
