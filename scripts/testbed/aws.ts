import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run, step, succeeds } from './shell.ts';

const home = join(process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed', 'aws');
const wanted = 'moto[ec2,server]==5.2.5';

/** moto, which answers as EC2 does; the tests start it themselves. */
export const aws = {
  async up(): Promise<void> {
    await mkdir(home, { recursive: true });
    const python = join(home, 'bin', 'python');
    if (!existsSync(python)) await step('Making a Python environment', () => run('python3', ['-m', 'venv', home]));
    const check = 'import importlib.metadata as m, sys; sys.exit(m.version("moto") != sys.argv[1])';
    if (!(await succeeds(python, ['-c', check, wanted.split('==')[1] ?? '']))) {
      await step(`Installing ${wanted}`, () => run(python, ['-m', 'pip', 'install', '--quiet', wanted], { limit: 600_000 }));
    }
    console.log(`The tests start ${join(home, 'bin', 'moto_server')}.`);
  },

  async remove(): Promise<void> {
    await rm(home, { recursive: true, force: true });
    console.log('Removed.');
  },
};
