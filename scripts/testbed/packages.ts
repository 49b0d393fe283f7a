import { run, step, succeeds } from './shell.ts';

/**
 * Installs what is missing, of Debian.
 * @param packages by a program of each
 */
export async function installPackages(packages: Record<string, string>): Promise<void> {
  const found = await Promise.all(Object.keys(packages).map((name) => succeeds('sh', ['-c', `command -v ${name}`])));
  const missing = [...new Set(Object.values(packages).filter((_, at) => found[at] === false))];
  if (missing.length === 0) return;
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, limit: 600_000 };
  await step(`Installing ${missing.join(', ')}`, async () => {
    await run('apt-get', ['update', '-qq'], options);
    await run('apt-get', ['install', '-qq', '--yes', '--no-install-recommends', ...missing], options);
  });
}
