import { fileURLToPath } from 'node:url';
import { defineBundleTests } from './testing/bundle-tests.ts';

/** The oldest that the agent runs on. */
defineBundleTests('Node 18', fileURLToPath(new URL('../../node_modules/node18/bin/node', import.meta.url)));
