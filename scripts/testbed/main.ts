// `npm run testbed -- NAME [--remove]`: real servers on this host for the tests of connectors. docs/testbed.md says what and where.
import { aws } from './aws.ts';
import { lxd } from './lxd.ts';
import { qemu } from './qemu.ts';

const testbeds: Record<string, { up(): Promise<void>; remove(): Promise<void> }> = { aws, lxd, qemu };

const [name = '', ...options] = process.argv.slice(2);
const testbed = testbeds[name];
if (testbed === undefined || options.some((option) => option !== '--remove')) {
  console.error(`npm run testbed -- NAME [--remove], where NAME is one of: ${Object.keys(testbeds).join(', ')}`);
  process.exitCode = 2;
} else if (process.platform !== 'linux' || process.getuid?.() !== 0) {
  console.error('A testbed needs Linux and root.');
  process.exitCode = 1;
} else {
  await (options.length > 0 ? testbed.remove() : testbed.up());
}
