import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../run/script-digest.ts';
import { joinSecret, launchSecret } from './secrets.ts';
import { setupScript, setupSha256 } from './setup-script.ts';
import { renderUserData } from './user-data.ts';

const agent = 'console.log("runs")\n';
const engineKey = Buffer.alloc(32, 7);
const run = 'a1b2c3d4-0000-4000-8000-000000000000';
const token = 'f'.repeat(32);
const keys = { OpenStack: 'ds.meta_data.launch_index', EC2: 'ds.meta_data.ami_launch_index' };

function shared(placeKey: string, numbers = [4, 5, 9]): Uint8Array {
  const machine = { placeKey, launchSecret: launchSecret(engineKey, run, token), node: 'web', numbers };
  return renderUserData({ url: 'http://127.0.0.1:1', agentSha256: sha256(agent), run, machine, expiresAt: new Date('2030-01-02') });
}

/** Boots a machine of the user data, whose cloud-init is this program. */
function boot(userData: Uint8Array, cloudInit: string) {
  const root = mkdtempSync(join(tmpdir(), 'paceline-shared-'));
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'bin', 'cloud-init'), `#!/bin/sh\n${cloudInit}\n`, { mode: 0o755 });
  writeFileSync(join(root, `setup-${setupSha256}`), setupScript);
  writeFileSync(join(root, `agent-${sha256(agent)}.cjs`), agent);
  const env = {
    PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`,
    PACELINE_ROOT: root,
    PACELINE_AGENT_CACHE: root,
    PACELINE_NODE: process.execPath,
    PACELINE_PACKAGES: 'check',
    HOME: root,
  };
  const { status, stdout, stderr } = spawnSync('sh', { input: userData, env, encoding: 'utf8' });
  const config = (): unknown => JSON.parse(readFileSync(join(root, 'var/lib/paceline/agent.json'), 'utf8'));
  return { status, stdout, stderr, config };
}

describe('user data that the machines of a launch have in common', () => {
  it.each([
    [0, 4],
    [1, 5],
    [2, 9],
  ])('tells the machine at place %d that it is number %d, and gives it the secret by which that one joins', (place, number) => {
    const { status, stdout, stderr, config } = boot(shared(keys.OpenStack), `[ "$*" = "query ${keys.OpenStack}" ] && echo ${place}`);
    expect([status, stdout, stderr]).toEqual([0, 'runs\n', '']);
    const instance = `web.${number}`;
    expect(config()).toMatchObject({ run, instance, secret: joinSecret(engineKey, run, instance, token), url: 'http://127.0.0.1:1' });
  });

  it.each([
    ['is not known', 'exit 1', `cloud-init does not know ${keys.EC2}`],
    ['is that of no machine', 'echo 3', `${keys.EC2} is 3, and none of the machines`],
    ['is no number', 'echo None', `${keys.EC2} is None`],
    ['is nothing', ':', `${keys.EC2} is , and`],
  ])('ends where the place %s, and says so', (_, cloudInit, says) => {
    const { status, stderr } = boot(shared(keys.EC2), cloudInit);
    expect(status).toBe(1);
    expect(stderr).toContain(`paceline: ${says}`);
  });

  it('has room for the numbers of a large launch, however they lie', () => {
    const numbers = Array.from({ length: 40 }, (_, at) => 1000 + 2 * at);
    expect(shared(keys.EC2, numbers).length).toBeLessThan(3400);
    expect(boot(shared(keys.EC2, numbers), 'echo 39').config()).toMatchObject({ instance: 'web.1078' });
  });

  it.for(['OpenStack', 'EC2'] as const)('asks for what the cloud-init of Debian knows on %s', (cloud, { skip }) => {
    const python = spawnSync('sh', ['-c', `sed -n '1s/^#! *//p' "$(command -v cloud-init)"`], { encoding: 'utf8' }).stdout.trim();
    skip(python === '', 'there is no cloud-init here: apt-get install cloud-init');
    const root = mkdtempSync(join(tmpdir(), 'paceline-cloud-init-'));
    const drive = join(root, 'drive', 'openstack', 'latest');
    mkdirSync(drive, { recursive: true });
    mkdirSync(join(root, 'run'));
    writeFileSync(join(drive, 'meta_data.json'), JSON.stringify({ uuid: 'a', name: 'web-2', hostname: 'web-2', launch_index: 1 }));
    // What its own sources of data make of what these clouds say.
    const program = [
      'import sys',
      'from cloudinit import helpers',
      'from cloudinit.sources.DataSourceConfigDrive import DataSourceConfigDrive, read_config_drive',
      'from cloudinit.sources.DataSourceEc2 import DataSourceEc2',
      'root = sys.argv[1]',
      'paths = helpers.Paths({"cloud_dir": root, "run_dir": root + "/run"})',
      'if sys.argv[2] == "EC2":',
      '    source = DataSourceEc2({}, None, paths)',
      '    source.metadata = {"instance-id": "i-1", "ami-launch-index": "1"}',
      '    source._crawled_metadata = {"meta-data": source.metadata}',
      'else:',
      '    source = DataSourceConfigDrive({}, None, paths)',
      '    source.source = "/dev/sr0"',
      '    source.metadata = read_config_drive(root + "/drive")["metadata"]',
      'assert source.persist_instance_data(write_cache=False)',
    ].join('\n');
    execFileSync(python, ['-c', program, root, cloud]);
    const none = join(root, 'none');
    writeFileSync(none, '');
    const real = spawnSync('which', ['cloud-init'], { encoding: 'utf8' }).stdout.trim();
    const data = join(root, 'run', 'instance-data-sensitive.json');
    const { stderr, config } = boot(shared(keys[cloud]), `'${real}' "$1" -i '${data}' -u '${none}' -v '${none}' "$2"`);
    expect(stderr).toBe('');
    expect(config()).toMatchObject({ instance: 'web.5' });
  });
});
