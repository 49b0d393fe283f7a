import { afterEach, describe, expect, it } from 'vitest';
import { Lab, whyNoHosts } from '../support/lab.ts';

let lab: Lab | undefined;
afterEach(async () => {
  const closing = lab;
  lab = undefined;
  await closing?.close();
});

const waitsForIt = 'ss-set done "got $(ss-get --timeout 0 go)"';

/** The machines, and nothing more, are blocked in their get. */
function allWait({ instances }: { instances: { connected: boolean; blockedIn: string[] }[] }): boolean {
  return instances.every(({ connected, blockedIn }) => connected && blockedIn.length === 1);
}

describe.skipIf(whyNoHosts !== undefined)(`tunnels${whyNoHosts === undefined ? '' : ` (${whyNoHosts})`}`, () => {
  it('carry a blocked get over a cut of the network that outlives the connection', async () => {
    lab = await Lab.open(2);
    const run = await lab.start(waitsForIt, 2);
    await lab.until(run, allWait);
    const [host] = lab.room.hosts;
    host?.cable(false);
    // Neither end is told: the engine finds out because the machine is silent.
    const cut = await lab.until(run, ({ instances }) => instances.filter(({ connected }) => connected).length === 1);
    const away = cut.instances.find(({ connected }) => !connected);
    expect(away?.address).toBe(host?.address);
    for (const { name } of cut.instances) expect((await lab.person.type(['set', run, `${name}:go`, name])).code).toBe(0);
    await lab.until(run, ({ instances }) => instances.filter(({ complete }) => complete).length === 1);
    host?.cable(true);
    const { instances, abort } = await lab.until(run, ({ state }) => state === 'Ready');
    expect(abort).toBeNull();
    for (const { name } of instances) expect((await lab.person.type(['get', run, `${name}:done`])).stdout).toBe(`got ${name}\n`);
    const { stdout } = await lab.person.type(['events', run]);
    expect(stdout.match(/Deployment of .* started/g)).toHaveLength(2);
  }, 300_000);

  it('are taken over by the next engine, thirty of them, while scripts are blocked', async () => {
    lab = await Lab.open(30);
    const run = await lab.start('ss-set done "got $(ss-get --timeout 0 node.1:go)"', 30);
    await lab.until(run, allWait);
    await lab.killEngine();
    await lab.until(run, allWait);
    // Each port is held by one session: the one before was ended.
    for (const host of lab.room.hosts) expect(host.run('ss -Hltn src 127.0.0.1 | wc -l').trim()).toBe('1');
    await lab.person.type(['set', run, 'node.1:go', 'now']);
    const { abort } = await lab.until(run, ({ state }) => state === 'Ready');
    expect(abort).toBeNull();
  }, 400_000);

  it('are not opened to a host with another key', async () => {
    lab = await Lab.open(1);
    const run = await lab.start(waitsForIt, 1);
    await lab.until(run, allWait);
    const [host] = lab.room.hosts;
    await host?.restartSsh('another');
    const log = await lab.logHas('is not the one it should be');
    expect(log).toMatch(/the tunnel to node.1 of run .* shows a ssh-ed25519 key with the fingerprint SHA256:/);
    expect((await lab.status(run)).instances[0]?.connected).toBe(false);
    await host?.restartSsh('own');
    await lab.until(run, allWait);
  }, 200_000);
});
