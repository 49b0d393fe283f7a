import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { TotalsReporter } from './scripts/totals-reporter.ts';

// Workspace packages are taken from their sources: nothing has to be built before a test.
const conditions = ['@paceline/source', 'node'];
/** Where nobody can look, a host that stands still for a moment must not cost an hour. What needed it is told at the end. */
const retry = process.env['CI'] === undefined ? 0 : 1;
/** What computes comes first, one file per core. What waits for machines and servers most of its time comes after it, with one file more. */
const computing = { maxWorkers: availableParallelism(), sequence: { groupOrder: 0 } };
const waiting = { maxWorkers: availableParallelism() + 1, sequence: { groupOrder: 1 } };
const exclude = ['**/node_modules/**', '**/dist/**'];
/** Tests beside the code that need real machines and servers, and take their time. */
const withMachines = [
  'packages/cli/src/embedded/*.test.ts',
  'packages/connectors/**/src/**/*.test.ts',
  'packages/engine/src/bootstrap/user-data.test.ts',
  'packages/engine/src/store/postgres.test.ts',
  'vm-agent/src/agent.node*.test.ts',
];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    globalSetup: ['scripts/temporary-folder.ts'],
    reporters: [process.env['GITHUB_ACTIONS'] ? 'github-actions' : 'default', new TotalsReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          ...computing,
          // Files of one worker share what they import: a world of its own for each would cost three times as much.
          isolate: false,
          include: ['packages/**/src/**/*.test.{ts,tsx}', 'vm-agent/src/**/*.test.ts', 'actions/src/**/*.test.ts'],
          exclude: [...exclude, ...withMachines],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: { name: 'machines', ...waiting, include: withMachines, exclude, retry, testTimeout: 60_000, hookTimeout: 180_000 },
      },
      {
        extends: true,
        test: { name: 'repository', ...computing, include: ['test/repository/**/*.test.ts'], exclude, testTimeout: 30_000 },
      },
      {
        extends: true,
        test: {
          name: 'system',
          ...waiting,
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          exclude: [...exclude, 'test/repository/**'],
          retry,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
