import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processesWith } from '../../support/processes.ts';
import { until } from '../../support/until.ts';
import { clouds, eventsOf, leaveNothing, onlyRun, personWith, projectWith } from './clouds.ts';

const limitMs = 300_000;

for (const cloud of ['sandbox', 'lxd'] as const)
  test(
    `an agent that was altered on the way to a machine of ${cloud} is refused, and the run says so at once`,
    async ({ skip }) => {
      skip(clouds[cloud].why !== undefined, clouds[cloud].why);
      const person = await personWith();
      try {
        // The engine is there, and so are the files that it hands out.
        await person.type(['list']);
        const agents = join(person.state, 'agents');
        for (const name of await readdir(agents)) if (name.endsWith('.cjs')) await writeFile(join(agents, name), 'touch /altered\n');
        const up = await person.type(['up', await projectWith('#!/bin/sh\n'), '--cloud', cloud]);
        expect(up.code).not.toBe(0);
        const run = await onlyRun(person);
        expect(run.state).toBe('Aborted');
        const events = await eventsOf(person, run.id);
        const console = events.find(({ message }) => message.includes('the end of its console'));
        expect(console?.message).toMatch(/paceline: http\S+ has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/);
      } finally {
        await person.leave();
      }
    },
    limitMs,
  );

test(
  'a join secret that is used again is refused, with an alarm',
  async ({ skip }) => {
    skip(clouds.sandbox.why !== undefined, clouds.sandbox.why);
    const person = await personWith();
    const thief = [
      '#!/bin/sh',
      'data=/var/lib/cloud/instance/user-data.txt',
      'value() { sed -n "s/.*\\"$1\\":\\"\\([^\\"]*\\)\\".*/\\1/p" $data | head -n 1; }',
      'body="{\\"run\\":\\"$(value run)\\",\\"instance\\":\\"$(value instance)\\",\\"secret\\":\\"$(value secret)\\",\\"keyHash\\":\\"$(printf %064d 7)\\",\\"agentVersion\\":\\"x\\",\\"nodeVersion\\":\\"x\\",\\"bootId\\":\\"x\\"}"',
      'grep -c secret /var/lib/paceline/agent.json >&2',
      'ss-set said "$(curl -s -o /dev/null -w "%{http_code}" -H "content-type: application/json" -d "$body" "$(value url)/agent/join") $(grep -c secret /var/lib/paceline/agent.json) $(stat -c %a /var/lib/paceline/agent.json)"',
    ].join('\n');
    try {
      const up = await person.type(['up', await projectWith(thief), '--cloud', 'sandbox']);
      expect(up.stdout + up.stderr).toContain('was refused: its secret has been spent already');
      const run = await onlyRun(person);
      const alarms = (await eventsOf(person, run.id)).filter(({ type }) => type === 'security.alarm');
      expect(alarms).toHaveLength(1);
      // Refused; and the secret is gone from the configuration, which nobody else can read.
      expect((await person.type(['get', run.id, 'box.1:said'])).stdout.trim()).toBe('403 0 600');
    } finally {
      await person.leave();
    }
  },
  limitMs,
);

for (const cloud of ['sandbox', 'lxd'] as const)
  test(
    `an engine that is killed while machines of ${cloud} boot finds them again`,
    async ({ skip }) => {
      skip(clouds[cloud].why !== undefined, clouds[cloud].why);
      const person = await personWith();
      try {
        const script = '#!/bin/sh\nss-set said "$(cat /proc/sys/kernel/random/uuid)"\n';
        const up = await person.type(['up', await projectWith(script), '--cloud', cloud, '-p', 'box:multiplicity=3', '--detach']);
        expect(up.code, up.stderr).toBe(0);
        const { id } = await onlyRun(person);
        const launched = async (): Promise<string[]> =>
          (await eventsOf(person, id)).map(({ message }) => message).filter((message) => / launched/.test(message));
        // Those of the sandbox boot faster than a command is typed, and are met in the middle of their launch.
        if (cloud === 'lxd') await until(async () => expect(await launched()).toHaveLength(3), 120_000, 200);
        const engine = processesWith(person.state).find(({ command }) => command.includes('server --embedded'));
        process.kill(engine?.pid ?? 0, 'SIGKILL');
        // Whoever asks next starts another one.
        await until(async () => expect((await onlyRun(person)).state).toBe('Done'), 240_000, 500);
        expect(await launched()).toHaveLength(3);
      } finally {
        await leaveNothing(person);
      }
    },
    limitMs * 2,
  );

test(
  'a machine that is restarted in the middle of a recipe goes on',
  async ({ skip }) => {
    skip(clouds.lxd.why !== undefined, clouds.lxd.why);
    const person = await personWith();
    const script = [
      '#!/bin/sh',
      'if [ ! -e /root/restarted ]; then touch /root/restarted; sync; systemctl reboot; sleep 600; fi',
      'ss-set said "$(systemctl is-active paceline-agent) $(systemctl is-active paceline-end.timer)"',
    ].join('\n');
    try {
      const up = await person.type(['up', await projectWith(script), '--cloud', 'lxd']);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const run = await onlyRun(person);
      expect(run.state).toBe('Done');
      expect((await person.type(['get', run.id, 'box.1:said'])).stdout.trim()).toBe('active active');
    } finally {
      await person.leave();
    }
  },
  limitMs,
);

test(
  'a machine whose kernel panics ends the run at once, with its last words',
  async ({ skip }) => {
    skip(clouds.qemu.why !== undefined, clouds.qemu.why);
    const { image } = clouds.qemu.settings;
    const broken = { disk: join(image, 'disk.qcow2'), kernel: join(image, 'vmlinuz'), append: 'console=ttyS0 root=/dev/vda' };
    const person = await personWith({ qemu: { image: 'broken', images: { broken } } });
    try {
      const up = await person.type(['up', await projectWith('#!/bin/sh\n'), '--cloud', 'qemu']);
      expect(up.code).not.toBe(0);
      expect(up.stdout + up.stderr).toContain('box.1 is lost: Kernel panic - not syncing');
      const run = await onlyRun(person);
      expect(run.state).toBe('Aborted');
      const events = await eventsOf(person, run.id);
      expect(events.find(({ message }) => message.includes('the end of its console'))?.message).toContain('VFS');
    } finally {
      await person.leave();
    }
  },
  limitMs,
);
