import { staleStages } from '@paceline/connector-host';
import { asMachineRoot, runCommand } from './command.ts';
import type { Site } from './site.ts';

/** Unpacking a large image may take some minutes. */
const graceMs = 3_600_000;

/** Removes what crashes left in the staging directory. */
export async function sweep(site: Site, now: number): Promise<void> {
  await removeTrees(site, await staleStages(site.staging, now, graceMs));
}

/**
 * Removes what is at these paths below a directory that a machine has filled, where every name may be a link to anywhere: what leads
 * through one is somewhere else, and stays. Nobody may be writing to the directory.
 */
export async function removeWithin(site: Site, directory: string, paths: readonly string[]): Promise<void> {
  await runCommand(asMachineRoot(site, ['sh', '-c', withinProgram, 'sh', directory, ...paths]));
}

const withinProgram = String.raw`
cd "$1" || exit
shift
for path; do
  above=$path
  while [ "$above" != "\${above%/*}" ]; do
    above=\${above%/*}
    [ ! -L "$above" ] || continue 2
  done
  rm -rf --one-file-system -- "$path" || exit
done
`.replaceAll('\\${', '${');

/** Removes directories whatever is in them, also if it belongs to users of machines. What is not there is removed. */
export async function removeTrees(site: Site, paths: readonly string[]): Promise<void> {
  if (paths.length > 0) {
    await runCommand(asMachineRoot(site, ['rm', '-rf', '--one-file-system', '--', ...paths]));
  }
}
