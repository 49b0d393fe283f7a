import { defineConformance, openFaultProxy, type ProxiedAnswer } from '@paceline/engine/conformance';
import type { Connector } from '@paceline/engine/connector';
import { afterAll, test } from 'vitest';
import { connectorModule } from './index.ts';
import { isLaunch, openGateway, reason, removeClouds, writeClouds, type Gateway } from './testing/openstack.ts';

const patienceMs = 60_000;
let gateway: Gateway | undefined;

function connect(cloudsFile: string): Connector {
  return connectorModule.createConnector({ cloud: 'paceline', cloudsFile, image: 'debian-12' });
}

function says(status: number, kind: string, message: string, headers: Record<string, string> = {}): ProxiedAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ [kind]: { code: status, message } }),
  };
}

defineConformance(
  test,
  async () => {
    const { url } = (gateway = await openGateway());
    const file = await writeClouds(url);
    const wrong = await writeClouds(url, (auth) => ({ ...auth, password: 'wrong' }));
    return {
      createConnector: () => connect(file),
      image: 'debian-12',
      patienceMs,
      unknownImage: 'no-such-image',
      lifeless: "nova's fake driver boots nothing",
      broken: [
        { why: 'nobody is there', connector: connect(await writeClouds('http://127.0.0.1:1')), code: 'unavailable' },
        { why: 'the password is wrong', connector: connect(wrong), code: 'auth' },
      ],
      faults: {
        async open() {
          const proxy = await openFaultProxy(url);
          return { connector: connect(await writeClouds(proxy.url)), proxy };
        },
        logsIn: true,
        isLaunch,
        refusals: [
          { why: 'throttled', answer: says(429, 'overLimit', 'This request was rate-limited.'), code: 'throttled' },
          {
            why: 'throttled, with a time',
            answer: says(413, 'overLimit', 'Too many requests.', { 'retry-after': '7' }),
            code: 'throttled',
            retryAfterMs: 7000,
          },
          {
            why: 'over the quota',
            answer: says(403, 'forbidden', 'Quota exceeded for instances: Requested 1, but already used 2 of 2 instances'),
            code: 'quota',
          },
          { why: 'no room', answer: says(400, 'badRequest', 'No valid host was found.'), code: 'capacity' },
          { why: 'wrong token, twice', answer: says(401, 'error', 'The request you have made requires authentication.'), code: 'auth' },
          { why: 'not allowed', answer: says(403, 'forbidden', "Policy doesn't allow it to be performed."), code: 'forbidden' },
          { why: 'not served now', answer: says(503, 'serviceUnavailable', 'Try again.'), code: 'unavailable' },
          { why: 'its own mistake', answer: says(500, 'computeFault', 'Unexpected API Error.'), code: 'unavailable' },
          { why: 'a gateway that waits in vain', answer: { status: 504, body: '<html><title>504</title></html>' }, code: 'timeout' },
          { why: 'in use', answer: says(409, 'conflictingRequest', 'Port is still in use.'), code: 'conflict' },
          { why: 'a wrong value', answer: says(400, 'badRequest', 'Invalid input for field name.'), code: 'invalid' },
        ],
      },
    };
  },
  { unavailable: reason, limitMs: patienceMs },
);

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await removeClouds();
});
