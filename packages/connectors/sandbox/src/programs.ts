import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cloudInitProgram, templateProgram } from './programs/cloud-init-program.ts';
import { enterProgram, initProgram, shutdownProgram } from './programs/inside-programs.ts';
import { supervisorProgram } from './programs/supervisor-program.ts';

/** Puts into a run's directory what runs on behalf of it, so that it does not matter what becomes of this package meanwhile. */
export async function writePrograms(run: string): Promise<void> {
  const programs = {
    'supervise.py': supervisorProgram,
    'enter.sh': enterProgram,
    'init.sh': initProgram,
    'template.sh': templateProgram,
    'cloud-init.py': cloudInitProgram,
    'shutdown.sh': shutdownProgram,
  };
  await Promise.all(Object.entries(programs).map(([name, text]) => writeFile(join(run, name), text, { mode: 0o755 })));
}
