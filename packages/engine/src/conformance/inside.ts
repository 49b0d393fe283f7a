import assert from 'node:assert/strict';
import { withoutHost, type Check } from './check.ts';

const post = (url: string): string =>
  `{ curl -sS --retry 3 --retry-connrefused --data-binary @- ${url} || wget -qO- --post-file=- ${url}; }`;

/** C03, C14, and what machines are for: they run their user data once, and reach home. */
export const inside: Check[] = [
  {
    id: 'user-data',
    boots: true,
    title: 'user data runs as root or the engine’s user, once, and arrives unchanged',
    skipped: withoutHost,
    async run(bench) {
      const home = await bench.home();
      const text = 'zwölf "quotes" $HOME `x` \\ %s 漢字 end';
      const request = bench.request({ userData: `#!/bin/sh\ncat <<'EOF' | ${post(`${home.url}/said`)}\n${text}\nEOF\n` });
      await bench.launch(request);
      const said = await bench.until('the user data has called', () => home.posted('/said'));
      assert.equal(said, `${text}\n`);
      await bench.launch(request);
      assert.equal(home.count('/said'), 1, 'a launch that is repeated does not boot again');
    },
  },
  {
    id: 'user-data-large',
    boots: true,
    title: 'user data up to the limit is taken, and above it refused before anything is made',
    skipped: withoutHost,
    async run(bench) {
      const home = await bench.home();
      const { userDataBytes } = bench.connector.capabilities;
      assert.ok(userDataBytes >= 4096, 'the engine needs 4 KiB');
      const script = `#!/bin/sh\necho whole | ${post(`${home.url}/whole`)}\nexit 0\n`;
      const filled = (length: number): string => script + '#'.repeat(length - script.length - 1) + '\n';
      const refused = bench.request({ userData: filled(userDataBytes + 1) });
      assert.equal((await bench.failure(bench.launch(refused))).code, 'invalid');
      assert.deepEqual(await bench.machines({ token: refused.token }), []);
      // What goes in at once is one argument of a program or one value of a request: beyond that, limits are elsewhere.
      await bench.launch(bench.request({ userData: filled(Math.min(userDataBytes, 65_536)) }));
      assert.equal(await bench.until('the user data has called', () => home.posted('/whole')), 'whole\n');
    },
  },
  {
    id: 'addresses',
    title: 'the address of a machine that runs is known',
    skipped: withoutHost,
    async run(bench) {
      const machine = await bench.launchOne({ userData: '#!/bin/sh\nsleep 3600\n' });
      const known = await bench.until('its address is known', async () => {
        const now = await bench.describe(machine.id);
        return now !== undefined && [...now.publicIps, ...now.privateIps][0];
      });
      assert.match(known, /^[\d.]+$|:/);
    },
  },
  {
    id: 'console',
    boots: true,
    title: 'the console is read piece by piece, without gaps and repetitions',
    skipped: ({ createConnector, lifeless }) =>
      lifeless ?? (createConnector().capabilities.console === 'none' ? 'the cloud keeps no console' : undefined),
    async run(bench) {
      const read = (id: string, since: number) => bench.connector.consoleLog?.(id, since, bench.context);
      const machine = await bench.launchOne({ userData: '#!/bin/sh\necho "first zwölf"\nsleep 1\necho "second zwölf"\n' });
      let text = '';
      let next = 0;
      await bench.until('the console says it', async () => {
        const piece = await read(machine.id, next);
        text += piece?.text ?? '';
        next = piece?.next ?? next;
        return text.includes('second zwölf');
      });
      assert.ok(text.includes('first zwölf'));
      const whole = await read(machine.id, 0);
      assert.ok(whole?.text.startsWith(text.slice(0, 1000)), 'what was read is what is there');
      const unknown = await bench.failure(read('conformance-0', 0) ?? Promise.resolve());
      assert.equal(unknown.code, 'notFound');
    },
  },
  {
    id: 'image',
    boots: true,
    title: 'an image of a machine has what the machine wrote, boots its own user data, and is removed',
    skipped: (subject) => (subject.createConnector().capabilities.snapshot ? withoutHost(subject) : 'no images are made of machines'),
    patience: 6,
    async run(bench) {
      const home = await bench.home();
      const machine = await bench.launchOne({
        userData: `#!/bin/sh\necho kept >/opt/conformance\nsync\necho ok | ${post(`${home.url}/written`)}\n`,
      });
      await bench.until('it has written', () => home.posted('/written'));
      const made = await bench.connector.createImage?.(machine.id, `conformance-${bench.run.slice(0, 8)}`, bench.context);
      assert.ok(made, 'an image is made, as is announced');
      await bench.end([machine.id]);
      const next = await bench.launchOne({
        image: made.image,
        userData: `#!/bin/sh\n{ cat /opt/conformance; hostname; } | ${post(`${home.url}/read`)}\n`,
      });
      assert.equal(await bench.until('it has read', () => home.posted('/read')), `kept\n${next.name}\n`);
      const listed = (await bench.list()).filter(({ kind }) => kind === 'image');
      assert.deepEqual(
        listed.map(({ id }) => id),
        [made.id],
        'the image is listed with its owner',
      );
      await bench.end([next.id]);
      const find = async () => bench.connector.resolveImage?.(made.image, bench.context);
      await find();
      for (const resource of listed) await bench.connector.remove?.(resource, bench.context);
      assert.deepEqual(await bench.list(), []);
      if (bench.connector.resolveImage === undefined) return;
      assert.equal((await bench.failure(find())).code, 'notFound', 'what was removed is not found');
    },
  },
];
