/** The life of some machines in a process of its own, for another user: launch, callback, image, end. Prints what it saw. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openEngine, openSandbox, context } from './sandbox.ts';

await using sandbox = await openSandbox();
await using home = await openEngine();
const probed = await sandbox.connector.probe(context);
const userData = `#!/bin/sh\n{ hostname; id -u; cat /etc/machine-id; touch /usr/bin/new && echo writes; } | curl -s --data-binary @- ${home.url}/$(hostname)\n`;
const machines = await sandbox.launch(userData, { count: 2 });
const said = await Promise.all(machines.map(({ name }) => home.posted(`/${name}`)));
await sandbox.connector.terminate(
  machines.map(({ id }) => id),
  context,
);
const left = await readdir(join(sandbox.config.root, 'runs'));
process.stdout.write(JSON.stringify({ uid: process.getuid?.(), account: probed.account, said, left }));
