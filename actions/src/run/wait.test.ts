import type { ResolvedDeployment } from '@paceline/model';
import { PacelineError } from '@paceline/model';
import type { Client, RunDetail } from '@paceline/api';
import { expect, test } from 'vitest';
import { checkCondition, conditionOf, waitForValue, type Condition } from './wait.ts';

const deployment = {
  parameters: { site: { output: true }, key: { secret: true } },
  nodes: { web: { image: { parameters: { ready: {}, password: { type: 'password' } } } } },
} as unknown as ResolvedDeployment;
const condition = (text: string): Condition => conditionOf(text) ?? { key: '', value: undefined };
const check = (text: string) => (): void => checkCondition(condition(text), deployment);

test.each([
  'site',
  'site=1',
  'ss:site',
  'web.1:ready=true',
  'web:ready',
  'web.1:hostname',
  'url.service',
  'web:multiplicity=2',
  'key',
  'web.1:password',
])('to wait for %s is possible', (text) => expect(check(text)).not.toThrow());

test.each([
  ['sitte', "The input 'wait-for': there is no parameter ss:sitte"],
  ['wbe.1:ready', "The input 'wait-for': there is no node wbe"],
  ['web.1:raedy=true', "The input 'wait-for': there is no parameter web.1:raedy"],
  ['key=x', "The input 'wait-for': the value of ss:key is secret"],
  ['web.1:password=x', "The input 'wait-for': the value of web.1:password is secret"],
])('to wait for %s is refused before anything is launched', (text, message) => expect(check(text)).toThrow(message));

test('a server that is away for a moment does not end the wait', async () => {
  let asked = 0;
  const client = {
    parameters: {
      async get() {
        asked += 1;
        if (asked === 1) throw new PacelineError('PACELINE_UNREACHABLE', 'away');
        return { key: 'ss:site', value: 'x', secret: false };
      },
    },
    async *followEvents() {
      await Promise.resolve();
      yield { seq: 1, type: 'parameter', message: '' };
    },
  } as unknown as Client;
  await waitForValue(client, { id: 'run', lastEvent: 0 } as RunDetail, condition('site'), {
    timeoutMs: 10_000,
    signal: new AbortController().signal,
  });
  expect(asked).toBe(2);
});
