import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConformance } from '@paceline/engine/conformance';
import { describe, test } from 'vitest';
import { configSchema } from './config.ts';
import { createExecConnector } from './exec-connector.ts';
import { Program } from './program.ts';

const patienceMs = 20_000;
const samples = join(import.meta.dirname, '../../../../examples/connectors');

describe.each([
  { sample: 'python/connector.py', tools: ['python3'] },
  { sample: 'shell/connector.sh', tools: ['jq', 'flock', 'timeout', 'setsid'] },
])('$sample', ({ sample, tools }) => {
  const missing = tools.filter((tool) => !isThere(tool));
  defineConformance(
    test,
    async () => {
      const configOf = (root: string) => configSchema.parse({ command: [join(samples, sample)], config: { root } });
      const config = configOf(mkdtempSync(join(tmpdir(), 'paceline conformance-')));
      const first = new Program(config);
      const greeting = await first.greet();
      await first.close();
      const connect = (others = config) => createExecConnector(new Program(others), greeting);
      return {
        createConnector: () => connect(),
        image: '',
        patienceMs,
        host: '127.0.0.1',
        endOfLife: 'connector',
        broken: [
          { why: 'there is no root', connector: connect(configOf('')), code: 'invalid' },
          {
            why: 'there is no such program',
            connector: connect(configSchema.parse({ command: ['/nowhere/connector'] })),
            code: 'unavailable',
          },
        ],
      };
    },
    {
      limitMs: patienceMs,
      unavailable: missing.length === 0 ? undefined : `there is no ${missing.join(', ')}`,
    },
  );
});

function isThere(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`]);
    return true;
  } catch {
    return false;
  }
}
