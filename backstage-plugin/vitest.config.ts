import { defineConfig } from 'vitest/config';

const conditions = ['@paceline/source', 'node'];

// What needs Backstage, which is installed here: `npm ci` in this folder.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['**/*.test.{ts,tsx}'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['../test/support/build.ts'],
    setupFiles: ['./test/jest-for-backstage.ts'],
    globals: true,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
