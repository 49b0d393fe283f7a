import { defineBundleTests } from './testing/bundle-tests.ts';

defineBundleTests('Node 24', process.execPath);
