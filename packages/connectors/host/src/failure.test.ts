import { writeFile } from 'node:fs/promises';
import { ConnectorError } from '@paceline/engine/connector';
import { expect, test } from 'vitest';
import { toConnectorError } from './failure.ts';

test('a full disk is a lack of capacity, with advice', async () => {
  const thrown = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
  const error = toConnectorError(thrown, 'launch machines');
  expect(error.message).toMatch(/^Could not launch machines: ENOSPC: no space left on device/);
  expect(error).toMatchObject({ code: 'capacity', details: { cause: thrown, provider: { code: 'ENOSPC' } } });
  expect(error.details.hint).toContain('another disk');
});

test('what is not known is internal, what is ours stays', () => {
  expect(toConnectorError('what?', 'x')).toMatchObject({ code: 'internal', message: 'Could not x: what?' });
  const own = new ConnectorError('conflict', 'no');
  expect(toConnectorError(own, 'x')).toBe(own);
});
