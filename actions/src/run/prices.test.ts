import { fileURLToPath } from 'node:url';
import type { CloudSurvey, InstanceView } from '@paceline/api';
import { diskFiles, loadModule } from '@paceline/model';
import { expect, test } from 'vitest';
import { pricesOf } from './prices.ts';

const { deployment } = await loadModule(fileURLToPath(new URL('../../../examples/client-server', import.meta.url)), { fs: diskFiles() });
const [server = '', client = ''] = Object.keys(deployment.nodes);
const on = (name: string, node: string, cloud: string): InstanceView => ({ name, node, cloud }) as InstanceView;
const run = { instances: [on(`${server}.1`, server, 'lab'), on(`${client}.1`, client, 'lab'), on(`${client}.2`, client, 'aws')] };
const offer = { name: 'small', cpus: 8, memoryMiB: 65_536, diskGiB: 100, price: { amount: 0.5, currency: 'EUR' } };
const cloud = (name: string, rest: Partial<CloudSurvey>): CloudSurvey => ({ name, connector: 'x', reach: 'direct', ...rest });
const asking = (clouds: () => Promise<CloudSurvey[]>) => pricesOf({ clouds }, run, deployment, { parameters: {}, cloud: undefined });

test('a machine costs what its cloud says of the size that it gets, whatever room is left there', async () => {
  const full = { machines: { used: 9, max: 9 } };
  const clouds = [
    cloud('lab', { offers: [offer], quota: full }),
    cloud('aws', { offers: [{ ...offer, price: null }] }),
    cloud('other', { offers: [offer] }),
  ];
  const half = { amount: 0.5, currency: 'EUR' };
  expect(await asking(async () => clouds)).toEqual({ [server]: { lab: half }, [client]: { lab: half } });
});

test('nothing is known of clouds that say nothing, or may not be asked', async () => {
  expect(await asking(async () => [cloud('lab', {})])).toEqual({});
  expect(await asking(async () => Promise.reject(new Error('forbidden')))).toEqual({});
});
