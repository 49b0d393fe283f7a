import type { Decision } from './change.ts';

/**
 * A decision that also says who has asked for it, when it changes anything and somebody is named.
 * @param what goes on after `NAME has asked `
 */
export function asked(by: string | undefined, what: string, decision: Decision): Decision {
  return (run, at) => {
    const changes = decision(run, at);
    if (by === undefined || changes.length === 0) return changes;
    const body = { type: 'run.asked' as const, severity: 'info' as const, message: `${by} has asked ${what}`, data: { by } };
    return [{ kind: 'event', at, body }, ...changes];
  };
}
