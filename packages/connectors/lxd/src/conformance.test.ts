import { defineConformance } from '@paceline/engine/conformance';
import { afterAll, test } from 'vitest';
import { connectorModule } from './index.ts';
import { openLxd, type TestLxd } from './testing/lxd.ts';
import { reason, testImage, testSocket } from './testing/with-lxd.ts';

const patienceMs = 60_000;
let lxd: TestLxd | undefined;

defineConformance(
  test,
  async () => {
    const { config } = (lxd = await openLxd());
    return {
      createConnector: () => connectorModule.createConnector(config),
      image: testImage,
      patienceMs,
      host: '127.0.0.1',
      unknownImage: 'nowhere',
      broken: [
        {
          why: 'there is no server',
          connector: connectorModule.createConnector({ socket: `${testSocket}.nowhere` }),
          code: 'unavailable',
        },
        {
          why: 'there is no such project',
          connector: connectorModule.createConnector({ socket: testSocket, project: 'nowhere' }),
          code: 'notFound',
        },
      ],
    };
  },
  { unavailable: reason, limitMs: patienceMs },
);

afterAll(async () => lxd?.[Symbol.asyncDispose]());
