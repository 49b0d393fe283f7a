import { describe, expect, test } from 'vitest';
import { clouds, longOnQemu, onlyRun, personWith, type CloudName } from './clouds.ts';

const cases: { cloud: CloudName; clients: number; skipped?: string }[] = [
  { cloud: 'sandbox', clients: 2 },
  { cloud: 'lxd', clients: 2 },
  { cloud: 'qemu', clients: 1, ...longOnQemu },
];

describe.each(cases)('client-server on $cloud', ({ cloud, clients, skipped }) => {
  test('runs on real machines, which go when it is done', async ({ skip }) => {
    const why = clouds[cloud].why ?? skipped;
    skip(why !== undefined, why);
    const person = await personWith();
    try {
      const up = await person.type(['up', 'examples/client-server', '--cloud', cloud, '-p', `clients=${clients}`]);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const run = await onlyRun(person);
      for (const { message } of run.instances.slice(1)) expect(message).toBe(`OK: Hello from the web server of run ${run.id}`);
      expect((await person.type(['down', run.id])).code).toBe(0);
      expect((await onlyRun(person)).state).toBe('Done');
    } finally {
      await person.leave();
    }
  }, 900_000);
});
