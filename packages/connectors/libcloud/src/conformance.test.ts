import { defineConformance, openFaultProxy, type ProxiedAnswer, type ProxiedRequest } from '@paceline/engine/conformance';
import type { Connector } from '@paceline/engine/connector';
import { describe, test } from 'vitest';
import type { Program } from '@paceline/connector-exec';
import { createExecConnector } from '@paceline/connector-exec';
import { configSchema, type Config } from './config.ts';
import { createLibcloudConnector } from './libcloud-connector.ts';
import { programOf } from './side-car.ts';
import { keptCloud, openStackCloud, whyNoOpenStack } from './testing/clouds.ts';
import { reason } from './testing/python.ts';

const patienceMs = 60_000;

describe('Dummy', () => {
  defineConformance(
    test,
    async () => {
      const settings = keptCloud();
      const greeting = await greetingOf(settings);
      const connect = (others = settings): Connector => connector(others, greeting);
      return {
        createConnector: () => connect(),
        image: 'debian-12',
        unknownImage: 'no-such-image',
        patienceMs,
        lifeless: 'nothing runs there',
        broken: [
          {
            why: 'the credential is wrong',
            connector: connect({ ...settings, credentials: { creds: { file: import.meta.filename } } }),
            code: 'auth',
          },
          { why: 'there is no Python', connector: connect({ ...settings, python: '/nowhere/python' }), code: 'unavailable' },
        ],
      };
    },
    { unavailable: reason, limitMs: patienceMs },
  );
});

describe('OpenStack', async () => {
  const unavailable = reason ?? (await whyNoOpenStack());
  defineConformance(
    test,
    async () => {
      const settings = openStackCloud();
      const greeting = await greetingOf(settings);
      return {
        createConnector: () => connector(settings, greeting),
        image: 'debian-12',
        unknownImage: 'no-such-image',
        patienceMs,
        machines: 3,
        lifeless: "nova's fake driver boots nothing",
        broken: [
          { why: 'the password is wrong', connector: connector(openStackCloud(undefined, 'wrong'), greeting), code: 'auth' },
          { why: 'nobody is there', connector: connector(openStackCloud('http://127.0.0.1:1'), greeting), code: 'unavailable' },
        ],
        faults: {
          async open() {
            const proxy = await openFaultProxy('http://127.0.0.1:25003');
            return { connector: connector(openStackCloud(proxy.url), greeting), proxy };
          },
          isLaunch,
          refusals,
        },
      };
    },
    { unavailable, limitMs: patienceMs },
  );
});

function isLaunch({ method, path }: ProxiedRequest): boolean {
  return method === 'POST' && path.endsWith('/servers');
}

function says(status: number, kind: string, message: string, headers: Record<string, string> = {}): ProxiedAnswer {
  const body = JSON.stringify({ [kind]: { code: status, message } });
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

const refusals = [
  { why: 'throttled', answer: says(429, 'overLimit', 'This request was rate-limited.'), code: 'throttled' as const },
  {
    why: 'throttled, with a time',
    answer: says(413, 'overLimit', 'Too many requests.', { 'retry-after': '7' }),
    code: 'throttled' as const,
    retryAfterMs: 7000,
  },
  { why: 'over the quota', answer: says(403, 'forbidden', 'Quota exceeded for instances: Requested 1'), code: 'quota' as const },
  { why: 'no room', answer: says(400, 'badRequest', 'No valid host was found.'), code: 'capacity' as const },
  { why: 'not allowed', answer: says(403, 'forbidden', "Policy doesn't allow it to be performed."), code: 'forbidden' as const },
  { why: 'not served now', answer: says(503, 'serviceUnavailable', 'Try again.'), code: 'unavailable' as const },
  { why: 'its own mistake', answer: says(500, 'computeFault', 'Unexpected API Error.'), code: 'unavailable' as const },
  { why: 'a wrong value', answer: says(400, 'badRequest', 'Invalid input for field name.'), code: 'invalid' as const },
];

/** What the side-car says of itself, so that connectors can be made without waiting for one each. */
async function greetingOf(settings: Record<string, unknown>): Promise<Awaited<ReturnType<Program['greet']>>> {
  const program = programOf(configSchema.parse(settings));
  try {
    return await program.greet();
  } finally {
    await program.close();
  }
}

function connector(settings: Record<string, unknown>, greeting: Awaited<ReturnType<Program['greet']>>): Connector {
  const config: Config = configSchema.parse(settings);
  return createLibcloudConnector(createExecConnector(programOf(config), greeting), config);
}
