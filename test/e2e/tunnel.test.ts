import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { describe, expect, it } from 'vitest';
import { Person } from '../support/command.ts';
import { until } from '../support/until.ts';
import { lxdImage, lxdSocket, whyNoLxd } from '../support/lxd.ts';

const why = whyNoLxd === undefined ? '' : ` (${whyNoLxd})`;

describe.skipIf(why !== '')(`a cloud behind tunnels${why}`, () => {
  it('has machines that get their host key and the way in by cloud-init, and nothing else to call', async () => {
    const person = await Person.arrive();
    try {
      await writeFile(
        join(person.state, 'clouds.yaml'),
        JSON.stringify({ clouds: { lab: { connector: 'lxd', reach: 'tunnel', socket: lxdSocket, image: lxdImage } } }),
      );
      const up = await person.type(['up', 'examples/client-server', '--cloud', 'lab', '-p', 'clients=1', '--timeout', '5m']);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const { runs } = JSON.parse((await person.type(['list', '--json'])).stdout) as { runs: { id: string }[] };
      const run = JSON.parse((await person.type(['status', runs[0]?.id ?? '', '--json'])).stdout) as RunDetail;
      expect(run.instances.map(({ message }) => message)).toContain(`OK: Hello from the web server of run ${run.id}`);
      // While the tunnel is down no process but those of root can take its place.
      const other = ['su', 'nobody', '-s', '/bin/sh', '-c', 'cd /var/lib/paceline-tunnel && rm -f own/engine; id -u; ls own'];
      const { stdout, stderr } = await person.type(['ssh', run.id, 'web.1', '--', ...other]);
      expect([stdout.trim(), stderr]).toEqual(['65534', expect.stringMatching(/own\/engine.*Permission denied[^]*own.*Permission denied/)]);
      // What any process may read in the user data is not the key of its SSH server any more.
      const keys =
        "sed -n '/^-.*BEGIN OPENSSH/,/^-.*END OPENSSH/p' /var/lib/cloud/instance/user-data.txt | cmp - /etc/ssh/ssh_host_ed25519_key";
      expect((await person.type(['ssh', run.id, 'web.1', '--', 'sh', '-c', keys])).stdout).toContain('differ');
      // And the engine, when it comes back, knows the new one.
      const holder = async (): Promise<string> =>
        (await person.type(['ssh', run.id, 'web.1', '--', 'cat', '/var/lib/paceline-tunnel/own/holder'])).stdout;
      const before = await holder();
      await person.type(['ssh', run.id, 'web.1', '--', 'pkill', '-u', 'paceline']);
      await until(async () => expect(await holder()).not.toBe(before), 60_000);
      expect((await person.type(['ssh', run.id, 'web.1', '--', 'ss', '-Hlnt', 'src', '127.0.0.1'])).stdout).toBe('');
      expect((await person.type(['down', run.id])).code).toBe(0);
    } finally {
      await person.leave();
    }
  }, 500_000);
});
