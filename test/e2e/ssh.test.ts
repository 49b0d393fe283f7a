import { afterEach, describe, expect, it } from 'vitest';
import { Person } from '../support/command.ts';
import { Lab, whyNoHosts } from '../support/lab.ts';
import { clouds, personWith } from './connectors/clouds.ts';

const leaving: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const leave of leaving.splice(0)) await leave();
});

async function up(person: Person, cloud: string): Promise<string> {
  const { code, stdout, stderr } = await person.type(['up', 'examples/client-server', '--cloud', cloud, '-p', 'clients=1']);
  expect(code, stdout + stderr).toBe(0);
  const { runs } = JSON.parse((await person.type(['list', '--json'])).stdout) as { runs: { id: string }[] };
  return runs[0]?.id ?? '';
}

/** A shell in the machine sees its parameters, and its exit code is the command's. */
async function expectShell(person: Person, run: string): Promise<void> {
  const inside = await person.type(['ssh', run, 'web.1', '--', 'sh', '-c', 'ss-get hostname; echo "it\'s $0"; exit 7', 'a b']);
  const address = (await person.type(['get', run, 'web.1:hostname'])).stdout;
  expect(inside, inside.stderr).toMatchObject({ code: 7, stdout: `${address}it's a b\n` });
  const console = await person.type(['console', run, 'web.1']);
  expect(console.code, console.stderr).toBe(0);
  const none = await person.type(['ssh', run, 'web.9', '--', 'true']);
  expect(none).toMatchObject({ code: 4, stderr: expect.stringContaining('The run has no instance web.9') });
}

describe('a shell on a machine', () => {
  it.each(process.platform === 'linux' ? ['local', 'sandbox'] : ['local'])('of the %s cloud', async (cloud) => {
    const person = await Person.arrive();
    leaving.push(() => person.leave());
    const run = await up(person, cloud);
    await expectShell(person, run);
    expect((await person.type(['down', run])).code).toBe(0);
    expect((await person.type(['ssh', run, 'web.1', '--', 'true'])).stderr).toContain('it is gone');
  });

  it("of LXD, whose containers have nobody's key", async ({ skip }) => {
    skip(clouds.lxd.why !== undefined, clouds.lxd.why);
    const person = await personWith();
    leaving.push(() => person.leave());
    const run = await up(person, 'lxd');
    await expectShell(person, run);
    expect((await person.type(['down', run])).code).toBe(0);
  }, 600_000);

  describe.skipIf(whyNoHosts !== undefined)(`over SSH${whyNoHosts === undefined ? '' : ` (${whyNoHosts})`}`, () => {
    it.each([
      ['layer', 'root'],
      ['directory', 'tester'],
    ])('on a host, with a %s, as %s', async (isolation, user) => {
      const lab = await Lab.open(2, { isolation, user });
      leaving.push(() => lab.close());
      await expectShell(lab.person, await up(lab.person, 'lab'));
    });
  });
});
