import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ConnectorContext, LaunchRequest } from '@paceline/engine/connector';

export { openEngine, type TestEngine } from './engine.ts';
export { until } from './until.ts';

export const context: ConnectorContext = {
  signal: new AbortController().signal,
  log: { info: () => undefined, warn: () => undefined },
  now: Date.now,
};

/** Of a call that is given up when it asks for the time once more than so often. */
export function givenUpAfter(looks: number): ConnectorContext {
  const giveUp = new AbortController();
  let left = looks;
  const now = (): number => {
    if (left-- === 0) giveUp.abort();
    return Date.now();
  };
  return { ...context, signal: giveUp.signal, now };
}

export const engine = 'engine-under-test';

/** A launch of `count` machines, `server-1` and so on, that live for an hour. */
export function launchRequest(userData: string, options: Partial<LaunchRequest> & { count?: number } = {}): LaunchRequest {
  const { count = 1, ...rest } = options;
  const bytes = new TextEncoder().encode(userData);
  return {
    token: randomBytes(16).toString('hex'),
    owner: { engine, run: 'run-1', node: 'server' },
    machines: Array.from({ length: count }, (_, at) => ({ index: at + 1, name: `server-${at + 1}`, userData: bytes })),
    image: '',
    ports: [],
    expiresAt: new Date(Date.now() + 3_600_000),
    ...rest,
  };
}

export function first<T>(values: readonly T[]): T {
  const [value] = values;
  if (value === undefined) {
    throw new Error('nothing there');
  }
  return value;
}

/** What a file says; undefined while it is missing or empty. */
export async function textOf(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === '' ? undefined : text?.trim();
}
