import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clouds, leaveNothing, onlyRun, personWith } from './clouds.ts';

/** A project whose machines keep something on a disk that they are given, and look for it when it is to go. @returns its path */
async function project(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-project-'));
  await mkdir(join(folder, 'box'));
  await writeFile(
    join(folder, 'box/image.yaml'),
    `apiVersion: paceline.dev/v1
kind: Image
metadata: { name: box }
spec:
  parameters: { kept: { output: true }, found: { output: true } }
  scripts:
    deploy: |
      #!/bin/sh
      true
    preScale: |
      #!/bin/sh
      [ "$SLIPSTREAM_SCALING_ACTION" = disk_detach ] || exit 0
      set -e
      disk=$(ss-get disk.detach.device)
      ss-set found "$(cat "$disk/precious")"
    postScale: |
      #!/bin/sh
      [ "$SLIPSTREAM_SCALING_ACTION" = disk_attach ] || exit 0
      set -e
      disk=$(ss-get disk.attached.device)
      mountpoint -q "$disk"
      echo gold >"$disk/precious"
      ss-set kept "$(ss-get disk.attach.size) $disk"
`,
  );
  await writeFile(
    join(folder, 'deployment.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: boxes }\nspec:\n  scalable: true\n' +
      '  nodes: { box: { image: ./box, multiplicity: 2 } }\n  timeout: 9m\n',
  );
  return folder;
}

test('machines on lxd are given disks and lose them while they run, with their hooks, and others are not', async ({ skip }) => {
  const { why } = clouds.lxd;
  skip(why !== undefined, why);
  const person = await personWith();
  const type = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await person.type(words);
    expect(code, stdout + stderr).toBe(0);
    return stdout.trim();
  };
  const disks = async (): Promise<object[]> => (await onlyRun(person)).instances.map((instance) => instance.disks);
  try {
    await type('up', await project(), '--cloud', 'lxd');
    await type('scale', 'box', '--attach-disk', '2GiB', '--ids', '2');
    const [size, device = ''] = (await type('get', 'box.2:kept')).split(' ');
    expect(size).toBe('2');
    expect(await disks()).toEqual([[], [{ device, gib: 2 }]]);
    expect(await type('status')).toContain(device);
    await type('scale', 'box', '--detach-disk', device);
    expect([await type('get', 'box.2:found'), await type('get', 'box.2:scale.state')]).toEqual(['gold', 'operational']);
    expect(await disks()).toEqual([[], []]);
    const again = await person.type(['scale', 'box', '--detach-disk', device]);
    expect([again.code, again.stderr]).toEqual([4, expect.stringContaining(`was given no disk ${device}`)]);
    // One that nobody takes away goes with its machine.
    await type('scale', 'box', '--attach-disk', '1GiB');
    await type('down');
  } finally {
    await leaveNothing(person);
  }
}, 600_000);
