/** One line of a simulated script. Keys that begin with `:` are the instance's own. */
export type Action =
  /** `secret` is left out for what is none; otherwise it is whether the script says so. */
  (
    | { do: 'set'; name: string; secret?: boolean }
    | { do: 'unset'; name: string }
    | { do: 'set-global'; name: string }
    /** Waits for all of them at once. */
    | { do: 'get'; keys: string[] }
    | { do: 'peek'; key: string }
    | { do: 'get-all'; node: string; name: string }
    /** Does what it may not; the refusal is expected. */
    | { do: 'trespass'; key: string; write: boolean }
    | { do: 'display'; text: string }
    | { do: 'print'; bytes: number }
    | { do: 'sleep'; ms: number }
    /** Leaves a process behind that computes, and sets a value when it is done. */
    | { do: 'leave'; name: string; ms: number; global: boolean }
    | { do: 'abort'; reason: string }
    | { do: 'cancel-abort' }
    | { do: 'fail' }
  ) & {
    /** On this instance of the node only. */
    only?: number;
  };

const head = '#!/usr/bin/env simulated\n';

export function scriptOf(actions: readonly Action[]): string {
  return head + JSON.stringify(actions);
}

export function actionsOf(script: string): Action[] {
  return JSON.parse(script.slice(head.length)) as Action[];
}
