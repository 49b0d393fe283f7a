import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConformance } from '@paceline/engine/conformance';
import { test } from 'vitest';
import { configSchema, connectorModule } from './index.ts';
import { testImage } from './testing/sandbox.ts';
import { reason } from './testing/with-machines.ts';

const patienceMs = 30_000;

defineConformance(
  test,
  () => {
    const root = mkdtempSync(join(tmpdir(), 'paceline conformance-'));
    const config = configSchema.parse({ root, ...(testImage !== '' && { image: testImage }) });
    return {
      createConnector: () => connectorModule.createConnector(config),
      image: testImage,
      patienceMs,
      host: '127.0.0.1',
      endOfLife: 'connector',
      unknownImage: 'nowhere',
    };
  },
  { unavailable: reason, limitMs: patienceMs },
);
