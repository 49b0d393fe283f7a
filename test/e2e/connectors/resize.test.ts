import { globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clouds, eventsOf, leaveNothing, onlyRun, personWith, type CloudName } from './clouds.ts';

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

/** What the kernel of this host lets a machine of its own files have, in MiB. */
function limitOf(machine: string): number {
  const files = ['paceline/*/memory.max', 'memory/paceline/*/memory.limit_in_bytes'].flatMap((pattern) =>
    globSync(join('/sys/fs/cgroup', pattern)),
  );
  const [file] = files.filter((path) => path.includes(machine));
  return file === undefined ? Number.NaN : Number(readFileSync(file, 'utf8')) / 1024 ** 2;
}

// Such a machine does not see its own limits.
test('machines on sandbox are resized while they run, with their hooks, and others are not', async ({ skip }) => {
  const { why } = clouds.sandbox;
  skip(why !== undefined, why);
  const person = await personWith();
  try {
    const up = await person.type(['up', await project(), '--cloud', 'sandbox']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    const limits = async (): Promise<number[]> => (await onlyRun(person)).instances.map(({ machineId }) => limitOf(machineId ?? 'none'));
    expect(await limits()).toEqual([384, 384]);
    const scaled = await person.type(['scale', 'box', '--memory', '640MiB', '--cpus', '2', '--ids', '2']);
    expect(scaled.code, scaled.stdout + scaled.stderr).toBe(0);
    expect(await limits()).toEqual([384, 640]);
    const hooks = (await eventsOf(person, (await onlyRun(person)).id)).filter(({ message }) =>
      /: (Pre|Post)-Scale of .* done/.test(message),
    );
    expect(hooks.map(({ message }) => message.split(' of ')[0])).toEqual(['box.2: Pre-Scale', 'box.2: Post-Scale']);
    expect((await person.type(['down'])).code).toBe(0);
  } finally {
    await leaveNothing(person);
  }
}, 600_000);
