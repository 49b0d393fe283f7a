import type { BuiltImage } from '../images/image-store.ts';
import type { EventBody } from './event.ts';
import type { Instance, MachineEntry } from './instance.ts';
import type { LogChunk } from './log.ts';
import type { StoredReport } from './report.ts';
import type { Run, RunFacts } from './run.ts';

/** Everything that can happen to a run's data. Deciding yields changes; applying them is one function; storing them another. */
export type Change =
  | { kind: 'run'; patch: Partial<RunFacts> }
  | { kind: 'newcomer'; instance: Instance }
  | { kind: 'instance'; name: string; patch: Partial<Mutable<Omit<Instance, 'machine'>>> }
  | { kind: 'machine'; name: string; patch: Partial<MachineEntry> }
  | { kind: 'parameter'; key: string; value: string | null; secret: boolean }
  | { kind: 'event'; at: number; body: EventBody }
  | { kind: 'log'; chunk: LogChunk }
  | { kind: 'report'; report: StoredReport }
  | { kind: 'image'; image: BuiltImage };

/** What to change, worked out on the run as it is at that moment. Of several decisions each sees what the ones before have changed. */
export type Decision = (run: Run, now: number) => Change[];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const shown: ReadonlySet<string> = new Set([
  'lastOp',
  'refusals',
  'told',
  'alarms',
  'tookHostKey',
  'step',
  'statecustom',
] satisfies (keyof Instance)[]);

/** Whether a change can open a barrier, move a machine or end a run; most of what recipes say cannot. */
export function movesRun(change: Change): boolean {
  if (change.kind === 'run' || change.kind === 'machine' || change.kind === 'newcomer') return true;
  return change.kind === 'instance' && Object.keys(change.patch).some((name) => !shown.has(name));
}
