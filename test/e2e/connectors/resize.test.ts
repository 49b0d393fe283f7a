import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clouds, leaveNothing, personWith, type CloudName } from './clouds.ts';

/** What the kernel lets the machine have, in MiB: of both generations of control groups. */
const memory = "cd /sys/fs/cgroup; cat memory.max memory/memory.limit_in_bytes 2>/dev/null | awk '{ print $1 / 1048576 }'";

/** A project whose machines say what they have at first, before and after they are resized. @returns its path */
async function project(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-project-'));
  await mkdir(join(folder, 'box'));
  const say = (name: string): string => `    ${name}: |\n      #!/bin/sh\n      set -e\n      ss-set ${name} "$(${memory})"\n`;
  const phases = ['deploy', 'preScale', 'postScale'];
  await writeFile(
    join(folder, 'box/image.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: box }\nspec:\n  resources: { cpus: 1, memory: 384MiB }\n' +
      `  parameters: { ${phases.map((name) => `${name}: { output: true }`).join(', ')} }\n  scripts:\n${phases.map(say).join('')}`,
  );
  await writeFile(
    join(folder, 'deployment.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: boxes }\nspec:\n  scalable: true\n' +
      '  nodes: { box: { image: ./box, multiplicity: 2 } }\n  timeout: 9m\n',
  );
  return folder;
}

const cases: CloudName[] = ['lxd'];

describe.each(cases)('machines on %s', (cloud) => {
  test('are resized while they run, with their hooks, and others are not', async ({ skip }) => {
    const { why } = clouds[cloud];
    skip(why !== undefined, why);
    const person = await personWith();
    try {
      const up = await person.type(['up', await project(), '--cloud', cloud]);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const scaled = await person.type(['scale', 'box', '--memory', '640MiB', '--cpus', '2', '--ids', '2']);
      expect(scaled.code, scaled.stdout + scaled.stderr).toBe(0);
      const said = async (key: string): Promise<string> => (await person.type(['get', key])).stdout.trim();
      expect([await said('box.2:deploy'), await said('box.2:preScale'), await said('box.2:postScale')]).toEqual(['384', '384', '640']);
      expect([await said('box.2:scale.state'), await said('box.1:scale.state')]).toEqual(['operational', 'operational']);
      expect([await said('box.1:deploy'), await said('box.1:preScale')]).toEqual(['384', '']);
      expect((await person.type(['down'])).code).toBe(0);
    } finally {
      await leaveNothing(person);
    }
  }, 600_000);
});
