import type { Bench } from './bench.ts';
import type { ConformanceSubject } from './subject.ts';

/** One thing that every connector has to do. */
export interface Check {
  /** Stable: reports and exceptions name it. */
  id: string;
  title: string;
  /** Why it does not apply to a subject; undefined if it does. */
  skipped?(subject: ConformanceSubject): string | undefined;
  /** It waits for a machine to boot. */
  boots?: boolean;
  /** How many times the subject's patience it may take. @default 3 */
  patience?: number;
  /** @throws when the connector does not do it */
  run(bench: Bench): Promise<void>;
}

export function withoutHost({ host }: ConformanceSubject): string | undefined {
  return host === undefined ? 'machines reach no address of this host' : undefined;
}
