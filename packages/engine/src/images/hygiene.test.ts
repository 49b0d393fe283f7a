import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { userDataTemplate } from '../bootstrap/user-data-template.ts';
import { hygiene } from './hygiene.ts';

/** The folders that the script works in are those of a machine of the test's own. */
const inside = `set -eu
machine=$1
shift
for folder in etc home root var; do mount --bind "$machine/$folder" /$folder; done
exec "$@"
`;

let machine: string;
beforeEach(async () => {
  machine = await mkdtemp(join(tmpdir(), 'paceline-machine-'));
  for (const folder of ['etc/ssh', 'home', 'root', 'var/log', 'var/lib/cloud/instances/i-1/sem', 'var/lib/cloud/data'])
    await mkdir(join(machine, folder), { recursive: true });
  await symlink('/var/lib/cloud/instances/i-1', join(machine, 'var/lib/cloud/instance'));
  await writeFile(join(machine, 'var/lib/cloud/instances/i-1/user-data.txt'), 'a secret to join by');
  await writeFile(join(machine, 'var/lib/cloud/data/instance-id'), 'i-1');
  await writeFile(join(machine, 'etc/machine-id'), 'one of a kind');
});
afterEach(() => rm(machine, { recursive: true, force: true }));

function onMachine(script: string): ReturnType<typeof spawnSync> {
  const { PACELINE_MACHINE: _, ...env } = process.env;
  const command = ['--map-root-user', '--mount', 'sh', '-c', inside, 'sh', machine, 'sh', '-c', script];
  return spawnSync('unshare', command, { env, encoding: 'utf8', timeout: 20_000 });
}

it('leaves a machine its end and its agent, and takes both from those that boot the image', ({ skip }) => {
  const { error, status, stderr } = onMachine('true');
  skip(error !== undefined || status !== 0, `no machine can be made here: ${String(error ?? stderr)}`);
  const from = userDataTemplate.indexOf("this='");
  const arm = userDataTemplate.slice(from, userDataTemplate.indexOf('later()', from));
  const said = onMachine(`set -eu
home=/var/lib/paceline
${arm}
unit() { cat >/dev/null; }
on() { :; }
arm
mine() { sh $home/mine echo "$1" || echo "not $1: $?"; }
mine armed
cat >/var/hygiene <<'HYGIENE'
${hygiene.text}
HYGIENE
sh /var/hygiene
mine clean
cat /etc/machine-id
find /var/lib/cloud -type f
mkdir -p /var/lib/cloud/instances/i-2
ln -sfn /var/lib/cloud/instances/i-2 /var/lib/cloud/instance
mine another
`);
  expect(said).toMatchObject({ status: 0, stdout: 'armed\nclean\nnot another: 3\n', stderr: '' });
});
