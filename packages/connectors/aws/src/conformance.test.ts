import { defineConformance, openFaultProxy, type FaultProxy } from '@paceline/engine/conformance';
import { afterAll, test } from 'vitest';
import { connectorModule } from './index.ts';
import { actionOf, asManyAsWanted, clientToken, refusal } from './testing/answers.ts';
import { openMoto, reason, type Moto } from './testing/moto.ts';

const patienceMs = 30_000;
// Of moto's own list of images.
const image = 'ami-03cf127a';
let moto: Moto | undefined;
let proxy: FaultProxy | undefined;

defineConformance(
  test,
  async () => {
    const { url } = (moto = await openMoto());
    const line = (proxy = await openFaultProxy(url));
    line.sameAs = clientToken;
    line.adapt = asManyAsWanted;
    const connect = (endpoint = line.url) => connectorModule.createConnector({ region: 'eu-west-3', endpoint });
    return {
      createConnector: () => connect(),
      image,
      patienceMs,
      // moto launches from whatever looks like an id.
      unknownImage: 'no-such-image',
      lifeless: 'moto boots nothing',
      broken: [{ why: 'nobody is there', connector: connect('http://127.0.0.1:1'), code: 'unavailable' }],
      faults: {
        async open() {
          const own = await openFaultProxy(url);
          own.sameAs = clientToken;
          own.adapt = asManyAsWanted;
          return { connector: connect(own.url), proxy: own };
        },
        isLaunch: (request) => actionOf(request) === 'RunInstances',
        refusals: [
          { why: 'throttled', answer: refusal('RequestLimitExceeded', 'Request limit exceeded.', 503), code: 'throttled' },
          {
            why: 'throttled, with a time',
            answer: refusal('Throttling', 'Rate exceeded', 400, { 'retry-after': '7' }),
            code: 'throttled',
            retryAfterMs: 7000,
          },
          {
            why: 'no room',
            answer: refusal('InsufficientInstanceCapacity', 'We currently do not have sufficient capacity.', 500),
            code: 'capacity',
          },
          { why: 'over the quota', answer: refusal('VcpuLimitExceeded', 'You have requested more vCPU capacity.'), code: 'quota' },
          {
            why: 'wrong key',
            answer: refusal('AuthFailure', 'AWS was not able to validate the provided access credentials', 401),
            code: 'auth',
          },
          { why: 'expired key', answer: refusal('ExpiredToken', 'The security token included in the request is expired'), code: 'auth' },
          {
            why: 'not allowed',
            answer: refusal('UnauthorizedOperation', 'You are not authorized to perform this operation.', 403),
            code: 'forbidden',
          },
          {
            why: 'used with other words',
            answer: refusal('IdempotentParameterMismatch', 'Arguments on this idempotent request'),
            code: 'conflict',
          },
          { why: 'not served now', answer: refusal('Unavailable', 'The server is overloaded.', 503), code: 'unavailable' },
          { why: 'its own mistake', answer: refusal('InternalError', 'An internal error has occurred', 500), code: 'unavailable' },
          { why: 'no such image', answer: refusal('InvalidAMIID.NotFound', 'The image id does not exist'), code: 'notFound' },
          { why: 'a wrong value', answer: refusal('InvalidParameterValue', 'Invalid value'), code: 'invalid' },
        ],
      },
    };
  },
  { unavailable: reason, limitMs: patienceMs },
);

afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await moto?.[Symbol.asyncDispose]();
});
