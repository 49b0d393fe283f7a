import { defineConformance } from '@paceline/engine/conformance';
import { keyPairOf } from '@paceline/engine/ssh';
import { afterAll, test } from 'vitest';
import { connectorModule } from './index.ts';
import { openHosts, whyNoHosts } from './testing/hosts.ts';

const patienceMs = 30_000;

const room = whyNoHosts === undefined ? await openHosts(4) : undefined;
afterAll(() => room?.[Symbol.asyncDispose]());

defineConformance(
  test,
  () => {
    const open = (settings?: Record<string, unknown>, ofHost?: () => Record<string, unknown>) =>
      connectorModule.createConnector(room?.config(settings, ofHost) ?? {});
    return {
      createConnector: () => open(),
      image: '',
      patienceMs,
      machines: 4,
      ...(room === undefined ? {} : { host: room.gateway }),
      endOfLife: 'connector',
      unknownImage: 'no-such-label',
      broken: [
        { why: 'nobody listens', connector: open({}, () => ({ port: 1 })), code: 'unavailable' },
        {
          why: 'the hosts have other keys',
          connector: open({}, () => ({ hostKey: keyPairOf(Buffer.alloc(32)).publicKey })),
          code: 'forbidden',
        },
        { why: 'there is no private key', connector: open({ identity: '/nowhere/key' }), code: 'auth' },
      ],
    };
  },
  { unavailable: whyNoHosts, limitMs: patienceMs },
);
