import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { becomeOrdinary, whyNotOrdinary } from './testing/ordinary-user.ts';
import { withMachines } from './testing/with-machines.ts';
import { packSmallImage } from './testing/small-image.ts';

const program = fileURLToPath(new URL('./testing/life.ts', import.meta.url));

test(
  'an ordinary user has machines too, on an image',
  withMachines(
    async () => {
      using user = becomeOrdinary();
      const image = join(user.home, '..', 'small.tar');
      packSmallImage(image);
      const said = await user.run('env', `PACELINE_SANDBOX_IMAGE=${image}`, process.execPath, '--conditions=@paceline/source', program);
      expect(JSON.parse(said)).toEqual({
        uid: 4242,
        account: expect.stringMatching(/^tester@/),
        said: [
          expect.stringMatching(/^server-1\n0\n[0-9a-f]{32}\nwrites\n$/),
          expect.stringMatching(/^server-2\n0\n[0-9a-f]{32}\nwrites\n$/),
        ],
        left: [],
      });
    },
    whyNotOrdinary([program, process.execPath]),
  ),
  120_000,
);
