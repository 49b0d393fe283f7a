import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConformance } from '@paceline/engine/conformance';
import { test } from 'vitest';
import { connectorModule } from './index.ts';

const patienceMs = 10_000;

defineConformance(
  test,
  () => {
    const root = mkdtempSync(join(tmpdir(), 'paceline conformance-'));
    return {
      createConnector: () => connectorModule.createConnector({ root }),
      image: '',
      patienceMs,
      host: '127.0.0.1',
      endOfLife: 'connector',
      broken: [
        { why: 'the root is a file', connector: connectorModule.createConnector({ root: '/dev/null/x' }), code: 'forbidden' },
        { why: 'there is no such Node.js', connector: connectorModule.createConnector({ root, node: '/nowhere/node' }), code: 'invalid' },
      ],
    };
  },
  { limitMs: patienceMs },
);
