import { optional, type HostFacts } from './host-facts.ts';

/** What keeps machines from being made here, and what to do about it; and what they will have to do without. */
export interface Diagnosis {
  problems: { what: string; remedy: string }[];
  notes: string[];
}

/** Packages of Debian and its descendants; those of Fedora where they are called otherwise. */
const packages: Record<string, string> = {
  'cloud-init': 'cloud-init',
  ip: 'iproute2 (Fedora: iproute)',
  mount: 'mount (Fedora: util-linux)',
  newgidmap: 'uidmap (Fedora: shadow-utils)',
  newuidmap: 'uidmap (Fedora: shadow-utils)',
  python3: 'python3',
};

export function diagnose(facts: HostFacts): Diagnosis {
  if (facts.platform !== 'linux') {
    return {
      problems: [{ what: 'machines of a sandbox need Linux', remedy: 'Use the connector `local`, or one of a real cloud.' }],
      notes: [],
    };
  }
  const needed = facts.missing.filter((name) => !optional.includes(name));
  const problems = needed.map((name) => ({
    what: `there is no ${name}`,
    remedy: `Install the package ${packages[name] ?? 'util-linux'}.`,
  }));
  if (!facts.subordinates) {
    problems.push({
      what: 'you have no range of subordinate users and groups',
      remedy: 'As root: usermod --add-subuids 200000-265535 --add-subgids 200000-265535 YOUR-NAME (see subuid(5)).',
    });
  }
  if (facts.trial !== undefined) {
    const setting = facts.restriction === undefined ? '' : ` User namespaces are restricted here; as root: sysctl -w ${facts.restriction}.`;
    problems.push({
      what: `a trial failed: ${facts.trial}`,
      remedy: `Kernel 5.11 or newer with overlay, bridge and veth is needed, and the right to make namespaces; in containers it is missing.${setting}`,
    });
  }
  return { problems, notes: notes(facts) };
}

function notes(facts: HostFacts): string[] {
  const found: string[] = [];
  if (!facts.privileged) {
    found.push("only root can make machines of this host's own files: images are needed, and limits are not kept");
  } else if (facts.missing.includes('cloud-init')) {
    found.push('this host has no cloud-init: without an image there are no machines');
  } else if (facts.separate.length > 0) {
    found.push(`${facts.separate.join(', ')} are file systems of their own, which machines without an image do not see`);
  }
  if (facts.missing.includes('slirp4netns')) {
    found.push('machines have no way to the internet: install the package slirp4netns');
  } else if (!facts.tunnels) {
    found.push('machines have no way to the internet: you may not open /dev/net/tun');
  }
  if (!facts.filters) {
    const without = 'machines can call services of this host and machines of other runs';
    found.push(
      `${without}: ${facts.missing.includes('nft') ? 'install the package nftables' : 'its kernel cannot filter what goes through a bridge'}`,
    );
  }
  return found;
}
