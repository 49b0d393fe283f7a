import { afterEach, describe, expect, it } from 'vitest';
import { Lab, whyNoHosts } from '../support/lab.ts';

let lab: Lab | undefined;
afterEach(async () => {
  const closing = lab;
  lab = undefined;
  await closing?.close();
});

const waitsForIt = 'ss-set done "got $(ss-get --timeout 0 go)"';

/** Listens in the place of the engine, and says what it is told there. */
const impostor = `
import os, socket, sys
way = sys.argv[1]
try:
    if way.startswith("/"):
        os.unlink(way)
        server = socket.socket(socket.AF_UNIX)
        server.bind(way)
    else:
        server = socket.create_server(("127.0.0.1", int(way.split(":")[1])))
    server.listen()
    server.settimeout(30)
    print(server.accept()[0].recv(4096))
except OSError as error:
    print(error)
`;

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
    // Each socket is held by one session: the one before was ended.
    for (const host of lab.room.hosts) expect(host.run("ss -Hlx | grep -c '/tunnel/engine'").trim()).toBe('1');
    await lab.person.type(['set', run, 'node.1:go', 'now']);
    const { abort } = await lab.until(run, ({ state }) => state === 'Ready');
    expect(abort).toBeNull();
  }, 400_000);

  it('cannot be taken by others of the host while they are down', async () => {
    lab = await Lab.open(1);
    const run = await lab.start(waitsForIt, 1);
    await lab.until(run, allWait);
    const [host] = lab.room.hosts;
    const ways = host
      ?.run(`ss -Hlnt src 127.0.0.1 | awk '{ print $4 }'; ss -Hlx | awk '{ print $5 }' | grep /engine || :`)
      .trim()
      .split('\n');
    expect(ways).toHaveLength(1);
    // The engine does not come back to this one.
    await host?.restartSsh('another');
    await lab.logHas('is not the one it should be');
    expect(host?.run(`setpriv --reuid=4243 --regid=4243 --clear-groups /usr/bin/python3 -c '${impostor}' ${ways?.[0]} 2>&1`)).toContain(
      'Permission denied',
    );
    await host?.restartSsh('own');
    const { instances } = await lab.until(run, allWait);
    for (const { name } of instances) expect((await lab.person.type(['set', run, `${name}:go`, name])).code).toBe(0);
    await lab.until(run, ({ state }) => state === 'Ready');
  }, 200_000);

  it('are not opened to a host with another key', async () => {
    lab = await Lab.open(1);
    const run = await lab.start(waitsForIt, 1);
    await lab.until(run, allWait);
    const [host] = lab.room.hosts;
    await host?.restartSsh('another');
    const log = await lab.logHas('is not the one it should be');
    expect(log).toMatch(/the tunnel to node.1 of run .* shows a ssh-ed25519 key with the fingerprint SHA256:/);
    expect((await lab.status(run)).instances[0]?.connected).toBe(false);
    // Until then it may be booting.
    const told = await lab.until(run, ({ instances }) => instances[0]?.fault !== null);
    expect(told.instances[0]?.fault).toMatch(/^cannot be reached by SSH: .* Either it has not run its user data/);
    await host?.restartSsh('own');
    await lab.until(run, (detail) => allWait(detail) && detail.instances[0]?.fault === null);
    expect((await lab.person.type(['events', run])).stdout).toMatch(/node\.1 +cannot be reached by SSH: [^]*node\.1 +is reached by SSH/);
  }, 200_000);
});
