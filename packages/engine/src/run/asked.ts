import type { Decision } from './change.ts';

/** A decision whose events say who has asked for it, when somebody is named. */
export function asked(by: string | undefined, decision: Decision): Decision {
  if (by === undefined) return decision;
  return (run, now) =>
    decision(run, now).map((change) =>
      change.kind === 'event' ? { ...change, body: { ...change.body, data: { ...change.body.data, by } } as typeof change.body } : change,
    );
}
