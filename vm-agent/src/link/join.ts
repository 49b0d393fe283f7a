import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import type { JoinRequest, JoinResponse } from '@paceline/api/agent';
import type { Backoff } from '../backoff.ts';
import type { AgentConfig } from '../config.ts';
import { writeDurably } from '../durable.ts';
import { version } from '../version.ts';
import { Engine } from './http.ts';
import { insist } from './insist.ts';
import { tried } from '../tried.ts';

export interface JoinOptions {
  config: AgentConfig;
  key: string;
  bootId: string;
  backoff: Backoff;
  log: (line: string) => void;
  signal: AbortSignal;
}

/** The key that this agent made for itself, if it has joined or tried to. */
export function readKey(state: string): string | undefined {
  return tried(() => readFileSync(joinPath(state, 'key'), 'utf8').trim()) || undefined;
}

/** Names its run, for whoever is shown it. Kept before it is used: after a crash in the middle of a join the same key joins again. */
export function makeKey(state: string, run: string): string {
  const key = `pla_${run}_${randomBytes(32).toString('base64url')}`;
  writeDurably(joinPath(state, 'key'), `${key}\n`);
  return key;
}

/** Spend the one-time secret. Tries until the engine answers; a refusal is final and thrown as an `HttpError`. A repetition may say `more`. */
export async function join(
  { config, key, bootId, backoff, log, signal }: JoinOptions,
  more?: Pick<JoinRequest, 'tookHostKey'>,
): Promise<JoinResponse> {
  const request: JoinRequest = {
    run: config.run,
    instance: config.instance,
    secret: config.secret ?? '',
    keyHash: createHash('sha256').update(key).digest('hex'),
    agentVersion: version,
    nodeVersion: process.version,
    bootId,
    ...more,
  };
  const engine = new Engine(config);
  try {
    return await insist(() => engine.json<JoinResponse>('POST', '/agent/join', request, signal), {
      backoff,
      signal,
      final: ({ status }) => status >= 400 && status < 500 && ![404, 408, 425, 429].includes(status),
      log: (reason) => log(`Cannot join ${config.url} yet: ${reason}`),
    });
  } finally {
    engine.close();
  }
}
