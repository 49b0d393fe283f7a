import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { libcloudVersion } from '../programs.ts';

const cache = join(import.meta.dirname, '../../../../../node_modules/.cache');
const folder = join(cache, `libcloud-${libcloudVersion}`);

/** A Python that has Libcloud, in an environment of its own that the first test makes; `PACELINE_LIBCLOUD_PYTHON` names another. */
export const python = process.env['PACELINE_LIBCLOUD_PYTHON'] ?? join(folder, 'bin', 'python');

/** Why there is none; undefined if there is. */
export const reason = existsSync(python) ? undefined : whyNot();
if (reason !== undefined) console.warn(`Machines of Libcloud are not tested here: ${reason}`);

function whyNot(): string | undefined {
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'libcloud-'));
  try {
    const steps = [
      ['python3', '-m', 'venv', draft],
      [
        join(draft, 'bin', 'python'),
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        `apache-libcloud==${libcloudVersion}`,
      ],
    ];
    for (const [program = '', ...args] of steps) {
      const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 });
      if (status !== 0)
        return `${program} ${args.slice(0, 3).join(' ')}: ${error?.message ?? (stderr.trim().split('\n').at(-1) || `exit code ${status}`)}`;
    }
    // Whoever was quicker has made the same.
    if (!existsSync(folder)) renameSync(draft, folder);
    return undefined;
  } catch (cause) {
    return existsSync(folder) ? undefined : String(cause);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const folders: string[] = [];

afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

/** A folder that is gone after the tests of a file. */
export function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'paceline-libcloud-'));
  folders.push(path);
  return path;
}
