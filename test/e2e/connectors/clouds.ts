import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { Person } from '../../support/command.ts';
import { lxdImage, lxdSocket, whyNoLxd } from '../../support/lxd.ts';
import { whyNoSandbox } from '../../support/sandbox.ts';

const testbed = process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed';
const disk = process.env['PACELINE_QEMU_IMAGE'] ?? join(testbed, 'qemu/images/debian-12');

/** The clouds of this host whose machines are real. */
export const clouds = {
  sandbox: { why: whyNoSandbox, settings: { connector: 'sandbox' } },
  lxd: {
    why: whyNoLxd,
    settings: { connector: 'lxd', socket: lxdSocket, image: lxdImage },
  },
  qemu: {
    why: existsSync(disk) ? undefined : `there is no ${disk}: npm run testbed -- qemu`,
    settings: { connector: 'qemu', image: disk, memoryMiB: 400 },
  },
};

export type CloudName = keyof typeof clouds;

/** Why tests are left out whose machines boot on QEMU, unless they are asked for. */
export const longOnQemu: { skipped?: string } =
  process.env['PACELINE_QEMU_BOOTS'] === 'many' ? {} : { skipped: 'takes minutes; PACELINE_QEMU_BOOTS=many asks for it' };

/** A person who has configured these clouds. */
export async function personWith(changes: Record<string, Record<string, unknown>> = {}): Promise<Person> {
  const person = await Person.arrive();
  const entries = Object.entries(clouds).map(([name, { settings }]) => [name, { ...settings, ...changes[name] }]);
  await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds: { ...changes, ...Object.fromEntries(entries) } }));
  return person;
}

/** Also after a test that has failed half-way nothing is to stay on clouds that outlive it. */
export async function leaveNothing(person: Person): Promise<void> {
  const list = async <T>(...args: string[]): Promise<T> => JSON.parse((await person.type([...args, '--json'])).stdout) as T;
  const { runs } = await list<{ runs: { id: string }[] }>('list', '--active');
  for (const { id } of runs) await person.type(['down', id]);
  const { images } = await list<{ images: { image: string }[] }>('images');
  for (const { image } of images) await person.type(['images', image, '--delete']);
  await person.leave();
}

/** The only run that somebody has. */
export async function onlyRun(person: Person): Promise<RunDetail> {
  const { runs } = JSON.parse((await person.type(['list', '--json'])).stdout) as { runs: { id: string }[] };
  if (runs.length !== 1) throw new Error(`there are ${runs.length} runs`);
  return JSON.parse((await person.type(['status', runs[0]?.id ?? '', '--json'])).stdout) as RunDetail;
}

/** What the events of a run say, a line each. */
export async function eventsOf(person: Person, run: string): Promise<{ type: string; message: string; at: string }[]> {
  const { stdout } = await person.type(['events', run, '--json']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { type: string; message: string; at: string });
}

/** A project of one node `box`, whose machines run this script. @returns its path */
export async function projectWith(deploy: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-project-'));
  await mkdir(join(folder, 'box'));
  await writeFile(join(folder, 'box/deploy.sh'), deploy);
  await writeFile(
    join(folder, 'box/image.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: box }\nspec:\n' +
      '  parameters: { said: { output: true } }\n  scripts: { deploy: deploy.sh }\n',
  );
  await writeFile(
    join(folder, 'deployment.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: bad-luck }\nspec:\n' +
      '  nodes: { box: { image: ./box } }\n  timeout: 9m\n  keepRunning: never\n',
  );
  return folder;
}
