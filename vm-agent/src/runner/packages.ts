import { join } from 'node:path';
import { replaceFile } from '../durable.ts';
import { attempt } from './failure.ts';

const known = `has() { command -v "$1" >/dev/null 2>&1; }
known() {
  { has dpkg-query && dpkg-query -W -f '\${Status}\\n' "$1" 2>/dev/null | grep -q ' installed$'; } ||
    { has rpm && rpm -q "$1" >/dev/null 2>&1; } ||
    { has apk && apk info -e "$1" >/dev/null 2>&1; }
}
missing=
`;

/**
 * Installs what is missing with whatever this machine has. A script, not code of the agent, so that it survives the agent as any other.
 * Package databases are locked while a machine boots (unattended upgrades): apt waits for them.
 */
const install = `#!/bin/sh
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
${known}for package; do known "$package" || missing="$missing $package"; done
[ "$missing" ] || exit 0
set -- $missing
twice() { "$@" || { echo "Trying again in 60 s: $*"; sleep 60; "$@"; }; }
if has apt-get; then
  twice apt-get -o DPkg::Lock::Timeout=300 update
  exec apt-get -o DPkg::Lock::Timeout=300 -y install -- "$@"
elif has dnf; then exec dnf -y install "$@"
elif has yum; then exec yum -y install "$@"
elif has zypper; then exec zypper --non-interactive install --auto-agree-with-licenses "$@"
elif has apk; then exec apk add --no-progress "$@"
fi
echo "none of apt-get, dnf, yum, zypper and apk is on this machine" >&2
exit 1
`;

/** Looks only: the software of this host belongs to its owner. */
const check = `#!/bin/sh
${known}for package; do known "$package" || has "$package" || missing="$missing $package"; done
[ -z "$missing" ] && exit 0
echo "packages$missing are not installed on this host; the local cloud shares the host's software: install them, or use another cloud" >&2
exit 1
`;

/** @throws an Error whose message is for people */
export function packagesArgv(folder: string, mode: 'install' | 'check', packages: string[]): string[] {
  const wrong = packages.find((name) => !/^[A-Za-z0-9@./_][^\s]*$/.test(name));
  if (wrong !== undefined) throw new Error(`'${wrong}' is not the name of a package`);
  const file = join(folder, `packages-${mode}.sh`);
  attempt('write the script', () => replaceFile(file, mode === 'install' ? install : check, 0o700));
  return ['/bin/sh', file, ...packages];
}
