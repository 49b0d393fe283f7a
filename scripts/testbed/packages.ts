import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { run, step, succeeds } from './shell.ts';

/**
 * Installs what is missing, of Debian.
 * @param packages by a program of each
 */
export async function installPackages(packages: Record<string, string>): Promise<void> {
  const found = await Promise.all(Object.keys(packages).map((name) => succeeds('sh', ['-c', `command -v ${name}`])));
  await install([...new Set(Object.values(packages).filter((_, at) => found[at] === false))]);
}

/** Installs servers that are missing, of Debian, without starting them. */
export async function installServers(packages: readonly string[]): Promise<void> {
  const status = (name: string): Promise<string> => run('dpkg-query', ['-W', '-f', '${Status}', name]).catch(() => '');
  const found = await Promise.all(packages.map(async (name) => (await status(name)) === 'install ok installed'));
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await install(packages.filter((_, at) => found[at] === false));
  } finally {
    if (isOurs) await rm(policy);
  }
}

async function install(missing: readonly string[]): Promise<void> {
  if (missing.length === 0) return;
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, limit: 1_200_000 };
  await step(`Installing ${missing.join(', ')}`, async () => {
    await run('apt-get', ['update', '-qq'], options);
    await run('apt-get', ['install', '-qq', '--yes', '--no-install-recommends', ...missing], options);
  });
}
