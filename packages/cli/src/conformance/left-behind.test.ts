import { expect, test } from 'vitest';
import type { Connector } from '@paceline/engine/connector';
import { accountOf } from './left-behind.ts';

test('a connector that never says where its credentials lead is waited for until nobody waits for the check', async () => {
  const silent = { account: () => new Promise(() => {}) } as Pick<Connector, 'account'> as Connector;
  const stop = new AbortController();
  const asked = accountOf('mine', silent, stop.signal);
  stop.abort(new Error('it was interrupted'));
  await expect(asked).rejects.toMatchObject({
    code: 'PACELINE_CLOUD_FAILED',
    message: 'mine does not say where its credentials lead: it was interrupted',
  });
});
