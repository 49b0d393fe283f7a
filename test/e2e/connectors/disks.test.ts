import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clouds, leaveNothing, longOnQemu, onlyRun, personWith, type CloudName } from './clouds.ts';

/** A project whose machines keep something on a disk that they are given, and look for it when it is to go. @returns its path */
async function project(machines: number): Promise<string> {
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
      folder=$disk
      [ ! -b "$disk" ] || folder=/mnt/disk
      ss-set found "$(cat "$folder/precious")"
      [ ! -b "$disk" ] || umount "$folder"
    postScale: |
      #!/bin/sh
      [ "$SLIPSTREAM_SCALING_ACTION" = disk_attach ] || exit 0
      set -e
      disk=$(ss-get disk.attached.device)
      folder=$disk
      # A container finds it mounted, a virtual machine as a device that its udev has yet to name.
      for _ in $(seq 100); do [ ! -e "$disk" ] || break; sleep 0.2; done
      if [ -b "$disk" ]; then
        folder=/mnt/disk
        mkdir -p "$folder"
        mkfs.ext4 -q "$disk"
        mount "$disk" "$folder"
      fi
      mountpoint -q "$folder"
      echo gold >"$folder/precious"
      ss-set kept "$(ss-get disk.attach.size) $disk"
`,
  );
  await writeFile(
    join(folder, 'deployment.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: boxes }\nspec:\n  scalable: true\n' +
      `  nodes: { box: { image: ./box, multiplicity: ${machines} } }\n  timeout: 9m\n`,
  );
  return folder;
}

const cases: { cloud: CloudName; machines: number; skipped?: string }[] = [
  { cloud: 'lxd', machines: 2 },
  { cloud: 'qemu', machines: 1, ...longOnQemu },
];

describe.each(cases)('machines on $cloud', ({ cloud, machines, skipped }) => {
  test('are given disks and lose them while they run, with their hooks, and others are not', async ({ skip }) => {
    const why = clouds[cloud].why ?? skipped;
    skip(why !== undefined, why);
    const person = await personWith();
    const type = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await person.type(words);
      expect(code, stdout + stderr).toBe(0);
      return stdout.trim();
    };
    const box = `box.${machines}`;
    const none = Array.from({ length: machines }, () => []);
    const disks = async (): Promise<object[]> => (await onlyRun(person)).instances.map((instance) => instance.disks);
    try {
      await type('up', await project(machines), '--cloud', cloud);
      await type('scale', 'box', '--attach-disk', '2GiB', '--ids', `${machines}`);
      const [size, device = ''] = (await type('get', `${box}:kept`)).split(' ');
      expect(size).toBe('2');
      expect(await disks()).toEqual([...none.slice(1), [{ device, gib: 2 }]]);
      expect(await type('status')).toContain(device);
      await type('scale', 'box', '--detach-disk', device);
      expect([await type('get', `${box}:found`), await type('get', `${box}:scale.state`)]).toEqual(['gold', 'operational']);
      expect(await disks()).toEqual(none);
      const again = await person.type(['scale', 'box', '--detach-disk', device]);
      expect([again.code, again.stderr]).toEqual([4, expect.stringContaining(`was given no disk ${device}`)]);
      // One that nobody takes away goes with its machine.
      await type('scale', 'box', '--attach-disk', '1GiB');
      await type('down');
    } finally {
      await leaveNothing(person);
    }
  }, 900_000);
});
