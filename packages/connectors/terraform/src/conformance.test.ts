import { defineConformance } from '@paceline/engine/conformance';
import { test } from 'vitest';
import { connectorModule } from './index.ts';
import { openCloud, reason } from './testing/cloud.ts';

const patienceMs = 120_000;

defineConformance(
  test,
  () => {
    const { settings } = openCloud('processes');
    const connect = (others: Record<string, unknown> = settings) => connectorModule.createConnector(others);
    return {
      createConnector: () => connect(),
      image: '',
      patienceMs,
      host: '127.0.0.1',
      endOfLife: 'connector',
      machines: 2,
      broken: [
        { why: 'there is no module', connector: connect({ ...settings, module: '/nowhere' }), code: 'invalid' },
        { why: 'there is no such tool', connector: connect({ ...settings, binary: '/nowhere/tofu' }), code: 'unsupported' },
      ],
    };
  },
  { unavailable: reason, limitMs: patienceMs },
);
