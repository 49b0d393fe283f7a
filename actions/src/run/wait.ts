import { setTimeout as pause } from 'node:timers/promises';
import type { Client, RunDetail } from '@paceline/api';
import { PacelineError } from '@paceline/model';

/** What a step waits for beyond `ready`: a value of a parameter, or any. */
export interface Condition {
  key: string;
  value: string | undefined;
}

/** `ready`, `NAME`, `NODE.1:NAME`, each also with `=VALUE`. @returns undefined for `ready` */
export function conditionOf(text: string): Condition | undefined {
  if (text === 'ready') return undefined;
  const equals = text.indexOf('=');
  const key = equals === -1 ? text : text.slice(0, equals);
  return { key: key.includes(':') ? key : `ss:${key}`, value: equals === -1 ? undefined : text.slice(equals + 1) };
}

const everyMs = 5000;

/**
 * Waits until a parameter of a run has its value. Looks again with every event, and now and then.
 * @throws PACELINE_TIMEOUT, PACELINE_RUN_ABORTED, PACELINE_RUN_ENDED
 */
export async function waitForValue(
  client: Client,
  run: RunDetail,
  { key, value }: Condition,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const late = AbortSignal.timeout(timeoutMs);
  const stop = new AbortController();
  const until = AbortSignal.any([late, signal, stop.signal]);
  let found: string | null = null;
  const look = async (): Promise<boolean> => {
    ({ value: found } = await client.parameters.get(run.id, key));
    return found !== null && (value === undefined || found === value);
  };
  const events = async (): Promise<boolean> => {
    for await (const { type, message } of client.followEvents(run.id, { after: run.lastEvent, signal: until })) {
      if (await look()) return true;
      if (type === 'run.abort') throw new PacelineError('PACELINE_RUN_ABORTED', message);
    }
    return false;
  };
  const clock = async (): Promise<boolean> => {
    while (!until.aborted) {
      if (await look()) return true;
      await pause(everyMs, undefined, { signal: until }).catch(() => {});
    }
    return false;
  };
  try {
    if (await Promise.race([events(), clock()])) return;
  } finally {
    stop.abort();
  }
  signal.throwIfAborted();
  const wanted = value === undefined ? 'a value' : `the value '${value}'`;
  if (late.aborted) throw new PacelineError('PACELINE_TIMEOUT', `${key} has not got ${wanted} within ${timeoutMs / 1000} s`);
  throw new PacelineError('PACELINE_RUN_ENDED', `The run has ended, and ${key} has not got ${wanted}`);
}
