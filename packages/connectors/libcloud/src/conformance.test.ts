import { defineConformance, openFaultProxy, type ProxiedAnswer, type ProxiedRequest } from '@paceline/engine/conformance';
import type { Connector } from '@paceline/engine/connector';
import { afterAll, describe, test } from 'vitest';
import type { Program } from '@paceline/connector-exec';
import { createExecConnector } from '@paceline/connector-exec';
import { configSchema, type Config } from './config.ts';
import { createLibcloudConnector } from './libcloud-connector.ts';
import { programOf } from './side-car.ts';
import { ec2Cloud, keptCloud, openStackCloud, whyNoOpenStack } from './testing/clouds.ts';
import { noMoto, openMoto, type Moto } from './testing/moto.ts';
import { reason } from './testing/python.ts';

const patienceMs = 60_000;
let moto: Moto | undefined;

afterAll(() => moto?.[Symbol.asyncDispose]());

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

describe('EC2', () => {
  defineConformance(
    test,
    async () => {
      const { url } = (moto = await openMoto());
      const greeting = await greetingOf(ec2Cloud(url));
      const connect = (endpoint = url): Connector => connector(ec2Cloud(endpoint), greeting);
      return {
        createConnector: () => connect(),
        image: 'ami-03cf127a',
        unknownImage: 'ami-00000000',
        patienceMs,
        lifeless: 'moto boots nothing',
        broken: [{ why: 'nobody is there', connector: connect('http://127.0.0.1:1'), code: 'unavailable' }],
        faults: {
          async open() {
            const proxy = await openFaultProxy(url);
            return { connector: connect(proxy.url), proxy };
          },
          isLaunch: ({ path, body }) => /Action=RunInstances/.test(`${path} ${body}`),
          refusals: ec2Refusals,
        },
      };
    },
    { unavailable: reason ?? noMoto, limitMs: patienceMs },
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
        patienceMs: 2 * patienceMs,
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
    { unavailable, limitMs: 2 * patienceMs },
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

function saysEc2(code: string, message: string, status = 400, headers: Record<string, string> = {}): ProxiedAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors></Response>`;
  return { status, headers: { 'content-type': 'text/xml;charset=UTF-8', ...headers }, body };
}

const ec2Refusals = [
  { why: 'throttled', answer: saysEc2('RequestLimitExceeded', 'Request limit exceeded.', 503), code: 'throttled' as const },
  {
    why: 'throttled, with a time',
    answer: saysEc2('Throttling', 'Rate exceeded', 429, { 'retry-after': '7' }),
    code: 'throttled' as const,
    retryAfterMs: 7000,
  },
  {
    why: 'no room',
    answer: saysEc2('InsufficientInstanceCapacity', 'We do not have sufficient capacity.', 500),
    code: 'capacity' as const,
  },
  { why: 'over the quota', answer: saysEc2('VcpuLimitExceeded', 'You have requested more vCPU capacity.'), code: 'quota' as const },
  { why: 'wrong key', answer: saysEc2('AuthFailure', 'AWS was not able to validate the credentials', 401), code: 'auth' as const },
  { why: 'expired key', answer: saysEc2('ExpiredToken', 'The security token is expired'), code: 'auth' as const },
  { why: 'not allowed', answer: saysEc2('UnauthorizedOperation', 'You are not authorized.', 403), code: 'forbidden' as const },
  { why: 'not served now', answer: saysEc2('Unavailable', 'The server is overloaded.', 503), code: 'unavailable' as const },
  { why: 'a wrong value', answer: saysEc2('InvalidParameterValue', 'Invalid value'), code: 'invalid' as const },
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
