// `npm run testbed -- NAME [--stop|--remove]`: real servers on this host for the tests of connectors. docs/testbed.md says what and where.
import { aws } from './aws.ts';
import { lxd } from './lxd.ts';
import { openstack } from './openstack.ts';
import { qemu } from './qemu.ts';

interface Testbed {
  up(this: void): Promise<void>;
  /** Ends what runs, and keeps the rest; only where something runs that is dear. */
  stop?(this: void): Promise<void>;
  remove(this: void): Promise<void>;
}

const testbeds: Record<string, Testbed> = { aws, lxd, openstack, qemu };

const [name = '', option, ...more] = process.argv.slice(2);
const testbed = testbeds[name];
const work = new Map<string | undefined, (() => Promise<void>) | undefined>([
  [undefined, testbed?.up],
  ['--stop', testbed?.stop],
  ['--remove', testbed?.remove],
]).get(option);
if (work === undefined || more.length > 0) {
  console.error(`npm run testbed -- NAME [--remove], where NAME is one of: ${Object.keys(testbeds).join(', ')}; openstack also has --stop`);
  process.exitCode = 2;
} else if (process.platform !== 'linux' || process.getuid?.() !== 0) {
  console.error('A testbed needs Linux and root.');
  process.exitCode = 1;
} else {
  await work();
}
