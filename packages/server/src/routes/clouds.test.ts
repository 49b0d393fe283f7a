import type { CloudSurvey } from '@paceline/api';
import { ConnectorError } from '@paceline/engine/connector';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open();
});
afterAll(() => server.close());

const survey = async (): Promise<CloudSurvey[]> => (await server.ask('GET', '/api/clouds')).json<{ clouds: CloudSurvey[] }>().clouds;

describe('a look at the clouds', () => {
  it('says what can be had there, and leaves out what a cloud does not say', async () => {
    const { connector } = server.world.cloud;
    expect(await survey()).toEqual([{ name: 'test', connector: 'fake', reach: 'direct', account: { account: 'test', regions: [] } }]);
    connector.quota = async () => ({ machines: { used: 1, max: 2 }, cpus: { used: 4, max: null } });
    connector.offers = async () => [{ name: 'small', cpus: 1, memoryMiB: 512, price: null }];
    expect(await survey()).toMatchObject([
      { quota: { machines: { used: 1, max: 2 }, cpus: { used: 4, max: null } }, offers: [{ name: 'small', price: null }] },
    ]);
  });

  it('says why a cloud cannot be used', async () => {
    server.world.cloud.connector.probe = async () => {
      throw new ConnectorError('auth', 'the password is wrong', { hint: 'Log in again.' });
    };
    expect(await survey()).toEqual([
      {
        name: 'test',
        connector: 'fake',
        reach: 'direct',
        failure: { code: 'auth', message: 'the password is wrong', hint: 'Log in again.' },
      },
    ]);
  });
});
