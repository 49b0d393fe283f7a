import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../run/script-digest.ts';
import { setupScript, setupSha256 } from './setup-script.ts';
import { maxUserDataBytes, renderUserData, type Bootstrap } from './user-data.ts';

const agent = 'console.log(process.argv.slice(2, 4).join(" "))\n';
const bootstrap: Bootstrap = {
  url: 'http://127.0.0.1:1',
  agentSha256: sha256(agent),
  run: 'a1b2c3d4-0000-4000-8000-000000000000',
  machine: { instance: 'apache.1', secret: 'x'.repeat(43) },
  expiresAt: new Date('2030-01-02T03:04:05.678Z'),
  runtime: { machine: 'x86_64', sha256: 'b'.repeat(64) },
};
const shells = ['sh', 'bash', 'busybox'].filter((name) => spawnSync(name, ['--help']).error === undefined);

describe('user data', () => {
  it.each(shells)('is small, and correct for %s', (shell) => {
    const bytes = renderUserData({ ...bootstrap, url: `https://${'a'.repeat(200)}.example` });
    expect(bytes.length).toBeLessThan(maxUserDataBytes - 1000);
    for (const input of [bytes, setupScript]) execFileSync(shell, [...(shell === 'busybox' ? ['sh'] : []), '-n'], { input });
    expect(new TextDecoder().decode(bytes)).not.toMatch(/@[A-Z]+@/);
  });

  it('sees to the end of the machine before anything else', () => {
    const text = new TextDecoder().decode(renderUserData(bootstrap));
    expect(text).toContain('OnCalendar=2030-01-02 03:04:05 UTC\n');
    expect(text).toContain(`later $((${Math.ceil(bootstrap.expiresAt.getTime() / 1000)} - $(date +%s)))`);
    expect(text.indexOf('later $((')).toBeLessThan(text.indexOf('set -eu'));
    expect(text.indexOf('set -eu')).toBeLessThan(text.indexOf('agent/files'));
  });

  it.each([
    ['own', {}],
    ['tunnel', { tunnel: { hostKey: '-----BEGIN OPENSSH PRIVATE KEY-----\n', clientKey: 'ssh-ed25519 AAAA' } }],
    ['shared', { machine: { placeKey: 'ds.meta_data.launch_index', launchSecret: 'y'.repeat(43), node: 'web', numbers: [1, 2, 3, 7] } }],
  ] as const)('is the same on every distribution, to the byte: golden/%s.sh', async (name, more) => {
    const text = new TextDecoder().decode(renderUserData({ ...bootstrap, ...more }));
    // The digest is that of another file, and changes with it.
    await expect(text.replaceAll(setupSha256, 'SETUP')).toMatchFileSnapshot(`golden/${name}.sh`);
  });

  it('has systemd start programs that SELinux lets it start: not those below /var/lib', () => {
    const text = `${new TextDecoder().decode(renderUserData(bootstrap))}${setupScript}`;
    expect(text.match(/^ExecStart=\S+/gm)).toEqual(['ExecStart=/bin/sh', 'ExecStart=/bin/sh']);
  });

  it('refuses values that would end a quote', () => {
    expect(() => renderUserData({ ...bootstrap, machine: { instance: 'apache.1', secret: "a'b" } })).toThrow('quote');
  });

  it('is taken by cloud-init as one script, with nothing that would replace what an image configures', ({ skip }) => {
    const python = spawnSync('sh', ['-c', `sed -n '1s/^#! *//p' "$(command -v cloud-init)"`], { encoding: 'utf8' }).stdout.trim();
    skip(python === '', 'there is no cloud-init here: apt-get install cloud-init');
    const program = [
      'import sys, cloudinit.user_data as u',
      'from cloudinit import helpers',
      'm = u.UserDataProcessor(helpers.Paths({})).process(sys.stdin.read())',
      'print([p.get_content_type() for p in m.walk() if not p.is_multipart()])',
    ].join('\n');
    const input = renderUserData(bootstrap);
    expect(execFileSync(python, ['-c', program], { input, encoding: 'utf8' })).toBe("['text/x-shellscript']\n");
  });
});

describe('on a machine', () => {
  it('hands an agent that is there already to the resident of a local run', () => {
    const root = rootWith({ setup: setupScript, agent });
    mkdirSync(join(root, 'resident'));
    const { status, stderr } = spawnSync('sh', {
      input: renderUserData(bootstrap),
      env: { ...environment(root), PACELINE_RESIDENT: join(root, 'resident'), PACELINE_MACHINE: 'm1', PACELINE_SOCKET: '/s' },
    });
    expect([status, String(stderr)]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(join(root, 'resident', 'm1.json'), 'utf8'))).toEqual({
      root,
      packages: 'check',
      socket: '/s',
      env: { PACELINE_MACHINE: 'm1', PACELINE_ADDRESS: '', HOME: root, TMPDIR: '/tmp' },
      url: bootstrap.url,
      run: bootstrap.run,
      instance: 'apache.1',
      secret: 'x'.repeat(43),
      expires: bootstrap.expiresAt.toISOString(),
    });
    expect(readFileSync(join(root, 'resident', 'agent'), 'utf8')).toBe(join(root, 'cache', `agent-${sha256(agent)}.cjs`));
  });

  it('fetches what is missing, and runs the agent with a configuration that only its user reads', async () => {
    const { status, stdout, root } = await boot({ [setupSha256]: setupScript, [sha256(agent)]: agent });
    const config = join(root, 'var/lib/paceline/agent.json');
    expect([status, stdout]).toEqual([0, `run --config\n`]);
    expect(execFileSync('stat', ['-c', '%a', config], { encoding: 'utf8' })).toBe('600\n');
  });

  it.each([
    ['curl', ['curl']],
    ['wget', ['wget']],
    ['Node.js', []],
  ])('insists when its engine goes away while it fetches with %s, but not when it says no', async (_, programs) => {
    const missing = programs.filter((name) => spawnSync('which', [name]).status !== 0);
    if (missing.length > 0) return;
    const path = { PATH: pathWith(programs) };
    const files = { [setupSha256]: setupScript, [sha256(agent)]: agent };
    const asked = new Map<string, number>();
    const { status, stdout } = await boot(files, bootstrap, path, (name, response) => {
      const times = (asked.get(name) ?? 0) + 1;
      asked.set(name, times);
      if (times === 1) return response.destroy();
      // What stands before an engine says so while that is away.
      if (times === 2) return response.writeHead(503).end('not now');
      if (times > 3) return response.end(files[name]);
      response.writeHead(200, { 'content-length': 1_000_000 });
      return response.write('half', () => response.destroy());
    });
    expect([status, stdout, ...asked.values()]).toEqual([0, 'run --config\n', 4, 4]);
    const { status: refused, stderr } = await boot(files, bootstrap, path, (_name, response) => response.writeHead(404).end());
    expect(refused).toBe(1);
    expect(stderr).toContain(`paceline: cannot fetch http`);
  });

  it.each([['curl'], ['python3'], ['Node.js']])('insists in the same way behind a tunnel, with %s', async (program) => {
    if (program !== 'Node.js' && spawnSync('which', [program]).status !== 0) return;
    const socketPath = join(mkdtempSync(join(tmpdir(), 'paceline tunnel-')), 'engine');
    const path = { PATH: pathWith([program]), PACELINE_TUNNEL: socketPath };
    const files = { [setupSha256]: setupScript, [sha256(agent)]: agent };
    let times = 0;
    const { status, stdout, root } = await boot(files, { ...bootstrap, tunnel: 'there' }, path, (name, response) => {
      times += 1;
      if (times === 1) return response.destroy();
      if (times === 2) return response.writeHead(503).end('not now');
      if (times > 3) return response.end(files[name]);
      response.writeHead(200, { 'content-length': 1_000_000 });
      return response.write('half', () => response.destroy());
    });
    expect([status, stdout, times]).toEqual([0, 'run --config\n', 5]);
    expect(JSON.parse(readFileSync(join(root, 'var/lib/paceline/agent.json'), 'utf8'))).toMatchObject({ tunnel: socketPath });
    const { status: refused, stderr } = await boot(files, { ...bootstrap, tunnel: 'there' }, path, (_name, response) =>
      response.writeHead(404).end(),
    );
    expect([refused, stderr]).toEqual([1, expect.stringContaining('paceline: cannot fetch http')]);
  });

  it.each([
    ['setup', { [setupSha256]: 'touch "$root/altered"' }, setupSha256],
    ['agent', { [setupSha256]: setupScript, [sha256(agent)]: 'something else' }, sha256(agent)],
  ])('refuses a %s with another hash, and runs nothing of it', async (_, files, expected) => {
    const { status, stderr, root } = await boot(files);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`paceline: http\\S+ has SHA-256 [0-9a-f]{64}, expected ${expected}\n$`));
    expect(existsSync(join(root, 'altered'))).toBe(false);
  });

  it('says that there is no Node.js, or an old one', async () => {
    const old = join(mkdtempSync(join(tmpdir(), 'paceline-boot-')), 'node');
    writeFileSync(old, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const { runtime: _, ...without } = bootstrap;
    const { status, stderr } = await boot({ [setupSha256]: setupScript }, without, { PACELINE_NODE: old });
    expect([status, stderr]).toEqual([1, 'paceline: there is no Node.js 18 or newer on this machine, and none could be had\n']);
  });

  it.each([
    ['dnf', '-qy install nodejs'],
    ['zypper', '-qn install nodejs'],
    ['apk', 'add -q nodejs'],
  ])('installs Node.js with %s where that is what there is', async (manager, words) => {
    const path = pathWith(['curl', 'timeout']);
    rmSync(join(path, 'node'));
    const asked = join(path, 'asked');
    writeFileSync(join(path, manager), `#!/bin/sh\necho "$*" >${asked}\nexec /bin/ln -s ${process.execPath} ${path}/node\n`, {
      mode: 0o755,
    });
    const { runtime: _, ...without } = bootstrap;
    const { status, stderr } = await boot({ [setupSha256]: setupScript, [sha256(agent)]: agent }, without, {
      PATH: path,
      PACELINE_NODE: '',
      PACELINE_PACKAGES: 'install',
    });
    expect([status, stderr]).toEqual([0, 'paceline: installing Node.js\n']);
    expect(readFileSync(asked, 'utf8')).toBe(`${words}\n`);
  });

  it('takes the Node.js of its engine if it has none', async () => {
    const node = `#!/bin/sh\nexec '${process.execPath}' "$@"\n`;
    const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim();
    const files = { [setupSha256]: setupScript, [sha256(agent)]: agent, [sha256(node)]: node };
    const { stdout, stderr, root } = await boot(
      files,
      { ...bootstrap, runtime: { machine, sha256: sha256(node) } },
      { PACELINE_NODE: '/none' },
    );
    expect([stdout, stderr]).toEqual(['run --config\n', 'paceline: getting the Node.js of the engine\n']);
    expect(readFileSync(join(root, 'var/lib/paceline/node'), 'utf8')).toBe(node);
  });
});

function rootWith({ setup, agent: text }: { setup: string; agent: string }): string {
  const root = mkdtempSync(join(tmpdir(), 'paceline boot-'));
  mkdirSync(join(root, 'cache'));
  writeFileSync(join(root, 'cache', `setup-${setupSha256}`), setup);
  writeFileSync(join(root, 'cache', `agent-${sha256(text)}.cjs`), text);
  return root;
}

/** Runs user data against a server that has these files, by their digests. */
async function boot(
  files: Record<string, string>,
  values: Bootstrap = bootstrap,
  more: NodeJS.ProcessEnv = {},
  answer = (name: string, response: ServerResponse): unknown => response.end(files[name]),
) {
  const root = mkdtempSync(join(tmpdir(), 'paceline boot-'));
  const server = createServer((request, response) => void answer(request.url?.split('/').at(-1) ?? '', response));
  const socketPath = more['PACELINE_TUNNEL'];
  await new Promise<void>((resolve) =>
    socketPath === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(socketPath, resolve),
  );
  const address = server.address();
  const url = socketPath === undefined ? `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` : 'http://engine.invalid';
  const script = join(root, 'user-data');
  writeFileSync(script, renderUserData({ ...values, url }));
  const child = spawn('sh', [script], { env: { ...environment(root), ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const status = await new Promise((resolve) => child.on('close', resolve));
  server.close();
  return { status, stdout, stderr, root };
}

/** A folder in which the script finds what it needs, and of what fetches only these. */
function pathWith(programs: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-path-'));
  const needed = [
    'sh',
    'cat',
    'chmod',
    'cp',
    'date',
    'mkdir',
    'mv',
    'node',
    'readlink',
    'rm',
    'sha256sum',
    'sleep',
    'tail',
    'uname',
    ...programs,
  ];
  for (const name of needed) {
    // What is called Python may be a script that looks for one.
    const [program, ...args] = name === 'python3' ? [name, '-c', 'import sys; print(sys.executable)'] : ['which', name];
    const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
    if (stdout !== '') symlinkSync(stdout.trim(), join(folder, name));
  }
  return folder;
}

function environment(root: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    PACELINE_ROOT: root,
    PACELINE_AGENT_CACHE: join(root, 'cache'),
    PACELINE_PACKAGES: 'check',
    PACELINE_NODE: process.execPath,
    HOME: root,
  };
}
