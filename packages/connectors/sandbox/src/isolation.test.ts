import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { engine, first, openEngine, openSandbox } from './testing/sandbox.ts';
import { filterReason, withMachines } from './testing/with-machines.ts';

const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const isRoot = process.getuid?.() === 0;

test.for([
  ['that have a way to the internet', true],
  ['that have none', false],
] as const)(
  'machines %s call their engine, and neither other services of this host nor machines of other runs',
  { timeout: 120_000 },
  ([, internet], context) =>
    withMachines(
      async () => {
        await using sandbox = await openSandbox({ internet });
        await using home = await openEngine(outside);
        await using service = await openEngine('0.0.0.0');
        const serve = [
          'mkdir /tmp/www; cd /tmp/www; echo here >me',
          'setsid python3 -m http.server 80 </dev/null >/dev/null 2>&1 &',
          'until curl -s -o /dev/null 127.0.0.1; do sleep 0.05; done',
        ];
        const launch = (run: string, node: string, lines: readonly string[]) =>
          sandbox.launchOne(['#!/bin/sh', ...lines].join('\n'), { owner: { engine, run, node } });
        const other = await launch('run-2', 'other', [...serve, `curl -s -d up ${home.url}/other`]);
        const friend = await launch('run-1', 'friend', [...serve, `curl -s -d up ${home.url}/friend`]);
        await Promise.all([home.posted('/other'), home.posted('/friend')]);
        const [otherAddress, friendAddress] = [first(other.privateIps), first(friend.privateIps)];
        const port = new URL(service.url).port;
        const theirs = [`${otherAddress}:80`, `${hostAddressOf(otherAddress)}:${port}`, `${hostAddressOf(friendAddress)}:${port}`];
        const forbidden = [...theirs, `${outside}:${port}`, `127.0.0.2:${port}`];
        const tries = [`${friendAddress}:80`, ...forbidden].map((at) => `try ${at}`);
        const byHost = `${otherAddress} ${outside} 127.0.0.2`;
        await launch('run-1', 'caller', [
          `try() { curl -sm 2 -o /dev/null $1/me && echo "$1 answers" || echo "$1 is silent"; }`,
          '{',
          ...tries,
          // Root of a machine may send wherever it likes: by the host, and past its own loopback interface.
          `for at in ${byHost}; do ip route replace $at via ${hostAddressOf(friendAddress)} onlink dev eth0; done`,
          'ip route del local 127.0.0.0/8 table local; echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet',
          ...tries.map((line) => `${line} again`),
          '} >/tmp/said 2>/dev/null',
          `for at in ${byHost}; do ip route del $at; done`,
          `curl -s --data-binary @/tmp/said ${home.url}/tried`,
        ]);
        const said = (await home.posted('/tried')).trim().split('\n');
        const wanted = [`${friendAddress}:80 answers`, ...forbidden.map((at) => `${at} is silent`)];
        expect(said).toEqual([...wanted, ...wanted]);
        // All of these are there, for the host.
        for (const at of isRoot ? [`${friendAddress}:80`, ...forbidden] : [`${outside}:${port}`])
          expect((await fetch(`http://${at}/me`)).ok).toBe(true);
      },
      outside === undefined ? 'this host has no address' : filterReason,
    )(context),
);

/** The first address of the network of a run is that of the host. */
function hostAddressOf(address: string): string {
  const [one, two, three] = address.split('.').map(Number);
  return [one, two, Number(three) & ~3, 1].join('.');
}
