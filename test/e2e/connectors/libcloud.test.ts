import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { describe, expect, test } from 'vitest';
import { Person } from '../../support/command.ts';
import { lxdImage, lxdSocket, whyNoLxd } from '../../support/lxd.ts';
import { repository } from '../../support/system.ts';

/** The environment that the tests of the connector make. */
const cache = join(repository, 'node_modules/.cache');
const made = existsSync(cache) ? readdirSync(cache).find((name) => /^libcloud-\d/.test(name)) : undefined;
const python = process.env['PACELINE_LIBCLOUD_PYTHON'] ?? join(cache, made ?? '', 'bin/python');
const why =
  whyNoLxd ?? (existsSync(python) ? undefined : 'there is no Libcloud: npx vitest run --project machines packages/connectors/libcloud');

/** LXD as a cloud whose machines get an SSH key and no user data. */
const driver = `
import json, os, subprocess
from libcloud.compute.base import Node, NodeDriver, NodeImage, NodeSize
from libcloud.compute.types import NodeState

class LxdNodes(NodeDriver):
    name = "LXD without user data"
    features = {"create_node": ["ssh_key"]}

    def __init__(self, folder, image):
        self.folder, self.image = folder, image

    def lxc(self, *words, given=None):
        env = {**os.environ, "LXD_DIR": self.folder}
        return subprocess.run(["lxc", *words], env=env, check=True, stdout=subprocess.PIPE, input=given, text=True).stdout

    def list_sizes(self, location=None):
        return [NodeSize("one", "one", 512, 0, None, None, self)]

    def list_images(self, location=None):
        return [NodeImage(self.image, self.image, self)]

    def get_image(self, image_id):
        raise NotImplementedError()

    def create_node(self, name, size, image, auth=None):
        self.lxc("init", "-q", image.id, name, given="")
        self.lxc("file", "push", "-q", "-p", "--mode", "0600", "-", name + "/root/.ssh/authorized_keys", given=auth.pubkey)
        self.lxc("start", "-q", name)
        return Node(name, name, NodeState.PENDING, [], [], self)

    def list_nodes(self):
        return [self.node(each) for each in json.loads(self.lxc("list", "-f", "json"))]

    def node(self, each):
        network = ((each.get("state") or {}).get("network") or {}).get("eth0") or {}
        found = [one["address"] for one in network.get("addresses") or [] if one["family"] == "inet" and one["scope"] == "global"]
        state = NodeState.RUNNING if each["status"] == "Running" else NodeState.STOPPED
        return Node(each["name"], each["name"], state, [], found, self)

    def destroy_node(self, node):
        self.lxc("delete", "-f", node.id)
        return True
`;

const files: Record<string, string> = {
  'drivers/lxd_nodes.py': driver,
  'image.yaml': `apiVersion: paceline.dev/v1
kind: Image
metadata: { name: machine }
spec:
  parameters: { word: { output: true } }
  scripts: { deploy: deploy.sh }
`,
  'deploy.sh':
    '#!/bin/sh\nset -e\nss-set word "from $(hostname) as $(id -un)"\nss-display "heard: $(ss-get one.1:word) and $(ss-get other.1:word)"\n',
  'deployment.yaml': `apiVersion: paceline.dev/v1
kind: Deployment
metadata: { name: pair }
spec:
  keepRunning: always
  nodes: { one: { image: ./image.yaml }, other: { image: ./image.yaml } }
`,
};

describe.skipIf(why !== undefined)(`a run on machines that get no user data${why === undefined ? '' : ` (${why})`}`, () => {
  test('is begun by SSH, reached through tunnels, and leaves nothing', async () => {
    const person = await Person.arrive();
    const folder = await mkdtemp(join(tmpdir(), 'paceline-libcloud-'));
    const lxd = dirname(lxdSocket);
    try {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
      }
      const identity = join(folder, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', identity]);
      const bare = {
        connector: 'libcloud',
        driver: 'lxd_nodes.LxdNodes',
        modules: join(folder, 'drivers'),
        python,
        arguments: { folder: lxd, image: lxdImage },
        image: lxdImage,
        ssh: { identity, hostKeys: 'any' },
        reach: 'tunnel',
      };
      await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds: { bare } }));
      const up = await person.type(['up', join(folder, 'deployment.yaml')]);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const { runs } = JSON.parse((await person.type(['list', '--json'])).stdout) as { runs: { id: string }[] };
      const id = runs[0]?.id ?? '';
      const run = JSON.parse((await person.type(['status', id, '--json'])).stdout) as RunDetail;
      const names = namesOf(lxd);
      expect(names).toHaveLength(2);
      for (const { message } of run.instances) {
        expect(message).toMatch(/^heard: from pl-[0-9a-z-]+ as root and from pl-[0-9a-z-]+ as root$/);
      }
      expect(readdirSync(join(person.state, 'bare', 'letters'))).toEqual([]);
      expect((await person.type(['down', id])).code).toBe(0);
      expect(namesOf(lxd)).toEqual([]);
    } finally {
      await person.type(['down']);
      await person.leave();
      await rm(folder, { recursive: true });
    }
  }, 600_000);
});

/** What our driver has made there. */
function namesOf(folder: string): string[] {
  const list = execFileSync('lxc', ['list', '-f', 'csv', '-c', 'n'], { env: { ...process.env, LXD_DIR: folder }, encoding: 'utf8' });
  return list.split('\n').filter((name) => name.startsWith('pl-'));
}
