import type { RunState } from '@paceline/api/agent';
import type { ErrorCode } from '@paceline/model';
import type { Scaling } from './scaling.ts';

export type Severity = 'info' | 'warning' | 'error';

/** What happened, for people and machines. Secret values never get into an event. `by` is the user who has asked for it. */
export type EventBody = { severity: Severity; message: string; data: { by?: string } } & (
  | { type: 'run.created'; data: { by: string } }
  | { type: 'run.state'; data: { state: RunState; seq: number } }
  | { type: 'run.abort'; data: { reason: string; source: string } }
  | { type: 'run.abort-cancelled'; data: { source: string } }
  | { type: 'run.ending'; data: { outcome: string; by: string } }
  | { type: 'run.scaling'; data: { action: Scaling['action']; node: string; instances: string[] } }
  | { type: 'run.leftover'; data: { cloud: string; ids: string[] } }
  | { type: 'cloud.failing'; data: { cloud: string; code?: ErrorCode } }
  | { type: 'instance.machine'; data: { instance: string; status: string; id?: string; address?: string } }
  | { type: 'instance.joined'; data: { instance: string } }
  | { type: 'instance.step'; data: { instance: string; step: string; status: string; exitCode?: number } }
  | { type: 'instance.completed'; data: { instance: string; seq: number } }
  | { type: 'instance.message'; data: { instance: string; text: string } }
  | { type: 'instance.notice'; data: { instance: string } }
  | { type: 'instance.dropped'; data: { instance: string } }
  | { type: 'parameter.set'; data: { key: string; value: string | null; secret: boolean } }
  | { type: 'report.received'; data: { instance: string; name: string; bytes: number } }
  | { type: 'security.alarm'; data: { instance: string } }
);

export type RunEvent = EventBody & { seq: number; at: number };
