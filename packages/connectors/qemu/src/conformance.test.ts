import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConformance } from '@paceline/engine/conformance';
import { test } from 'vitest';
import { connectorModule } from './index.ts';
import { bootsMany, reason, testImage } from './testing/image.ts';

const patienceMs = 300_000;

defineConformance(
  test,
  () => {
    // With a space, so that no shell gets away without quotes.
    const root = mkdtempSync(join(tmpdir(), 'paceline conformance-'));
    return {
      createConnector: () => connectorModule.createConnector({ root, memoryMiB: 320, image: testImage }),
      image: '',
      patienceMs,
      host: '127.0.0.1',
      endOfLife: 'connector',
      unknownImage: 'nowhere',
      broken: [
        {
          why: 'its image is not there',
          connector: connectorModule.createConnector({ root, image: '/nowhere/disk.qcow2' }),
          code: 'notFound',
        },
      ],
    };
  },
  {
    unavailable: reason,
    except: ({ boots }) => (boots === true && !bootsMany ? 'takes minutes; PACELINE_QEMU_BOOTS=many asks for it' : undefined),
    limitMs: patienceMs,
  },
);
