import { expect, test } from 'vitest';
import { diagnose } from './diagnosis.ts';
import type { HostFacts } from './host-facts.ts';

const fine: HostFacts = {
  platform: 'linux',
  privileged: true,
  missing: [],
  subordinates: true,
  tunnels: true,
  filters: true,
  separate: [],
};

test('nothing is wrong with a host that has everything', () => {
  expect(diagnose(fine)).toEqual({ problems: [], notes: [] });
});

test('a user is told what to have root do', () => {
  const facts: HostFacts = {
    ...fine,
    privileged: false,
    missing: ['newuidmap', 'ip', 'slirp4netns'],
    subordinates: false,
    restriction: 'kernel.apparmor_restrict_unprivileged_userns=0',
    trial: 'unshare failed: Operation not permitted',
  };
  const { problems, notes } = diagnose(facts);
  expect(problems.map(({ what, remedy }) => `${what}: ${remedy}`)).toMatchInlineSnapshot(`
    [
      "there is no newuidmap: Install the package uidmap (Fedora: shadow-utils).",
      "there is no ip: Install the package iproute2 (Fedora: iproute).",
      "you have no range of subordinate users and groups: As root: usermod --add-subuids 200000-265535 --add-subgids 200000-265535 YOUR-NAME (see subuid(5)).",
      "a trial failed: unshare failed: Operation not permitted: Kernel 5.11 or newer with overlay, bridge and veth is needed, and the right to make namespaces; in containers it is missing. User namespaces are restricted here; as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0.",
    ]
  `);
  expect(notes).toMatchInlineSnapshot(`
    [
      "only root can make machines of this host's own files: images are needed, and limits are not kept",
      "machines have no way to the internet: install the package slirp4netns",
    ]
  `);
});

test('root is told what machines will not have', () => {
  expect(diagnose({ ...fine, missing: ['cloud-init'] }).notes).toEqual([
    'this host has no cloud-init: without an image there are no machines',
  ]);
  expect(diagnose({ ...fine, tunnels: false }).notes).toEqual(['machines have no way to the internet: you may not open /dev/net/tun']);
  expect(diagnose({ ...fine, filters: false, missing: ['nft'] }).notes).toEqual([
    'machines can call services of this host and machines of other runs: install the package nftables',
  ]);
  expect(diagnose({ ...fine, filters: false }).notes).toEqual([
    'machines can call services of this host and machines of other runs: its kernel cannot filter what goes through a bridge',
  ]);
  expect(diagnose({ ...fine, separate: ['/var'] }).notes).toEqual([
    '/var are file systems of their own, which machines without an image do not see',
  ]);
});

test('other systems are told to go elsewhere', () => {
  expect(diagnose({ ...fine, platform: 'darwin' }).problems).toMatchObject([{ what: 'machines of a sandbox need Linux' }]);
});
