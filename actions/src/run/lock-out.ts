import type { Client, CloudSurvey, RunDetail } from '@paceline/api';
import { setTimeout as pauseFor } from 'node:timers/promises';

/** So often the clouds are asked whether they let the engine in. */
const askMs = 15_000;
const firstMs = 1000;

export interface LockOutOptions {
  /** How long a cloud has to let nobody in until it is believed, in milliseconds: some do so while they are being restarted. */
  doubtMs: number;
  signal: AbortSignal;
  /** Waits for so many milliseconds. @default by the clock */
  pause?: (ms: number) => Promise<void>;
}

/**
 * Waits until no cloud that has something of the run lets the engine in, twice in a row.
 * @returns why, for people; undefined when the signal came first
 */
export async function lockedOut(client: Client, id: string, options: LockOutOptions): Promise<string | undefined> {
  const { doubtMs, signal, pause = (ms) => pauseFor(ms, undefined, { signal }) } = options;
  let doubted = false;
  for (let wait = firstMs; !signal.aborted; wait = doubted ? doubtMs : askMs) {
    await pause(wait).catch(() => {});
    // Who may not ask waits.
    const message = signal.aborted
      ? undefined
      : await Promise.all([client.runs.get(id), client.clouds()]).then(
          ([run, clouds]) => lockOf(run, clouds),
          () => undefined,
        );
    if (message !== undefined && doubted && !signal.aborted) return message;
    doubted = message !== undefined;
  }
  return undefined;
}

/**
 * Why nothing more can be done for a run; undefined as long as a cloud that has machines of it lets the engine in. When all machines are
 * gone, what they leave behind may still be on any cloud that had some.
 */
export function lockOf({ instances }: Pick<RunDetail, 'instances'>, clouds: readonly CloudSurvey[]): string | undefined {
  const there = instances.filter(({ stage }) => stage !== 'gone' && stage !== 'wanted');
  const concerned = new Set((there.length > 0 ? there : instances).map(({ cloud }) => cloud));
  // Who is let in and may not see prices or limits is `forbidden` that. Who is let in to another account is not let in to these machines.
  const locked = clouds.filter(({ name, failure }) => concerned.has(name) && failure?.code === 'auth');
  if (locked.length === 0 || locked.length < concerned.size) return undefined;
  return `${locked.map(({ name, failure }) => `${name} does not take the credentials: ${failure?.message ?? ''}`).join('\n')}\nIt is not waited for.`;
}
