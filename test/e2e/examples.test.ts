import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Person } from '../support/command.ts';
import { filesOf } from '../support/tar.ts';

let person: Person;
beforeEach(async () => {
  person = await Person.arrive();
});
afterEach(() => person.leave());

async function only(): Promise<RunDetail> {
  const { runs } = JSON.parse((await person.type(['list', '--json'])).stdout) as { runs: { id: string }[] };
  expect(runs).toHaveLength(1);
  return JSON.parse((await person.type(['status', runs[0]?.id ?? '', '--json'])).stdout) as RunDetail;
}

it('is typed as `npx paceline` where it was built', () => {
  const repository = resolve(import.meta.dirname, '../..');
  const version = execFileSync('npx', ['--no-install', 'paceline', '--version'], { cwd: repository, encoding: 'utf8' });
  expect(version).toMatch(/^(paceline )?\d+\.\d+\.\d+/);
});

describe('client-server', () => {
  it('comes up, exchanges its three messages, reports, and goes down', async () => {
    const up = await person.type(['up', 'examples/client-server', '-p', 'clients=2']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(up.stdout).toContain('Ready after');
    const run = await only();
    expect(run.instances.map(({ name }) => name)).toEqual(['web.1', 'client.1', 'client.2']);
    for (const { message } of run.instances.slice(1)) expect(message).toBe(`OK: Hello from the web server of run ${run.id}`);
    expect(await (await fetch(run.serviceUrl ?? '')).text()).toContain('Hello from the web server');

    const folder = await mkdtemp(join(tmpdir(), 'paceline-reports-'));
    const reports = await person.type(['reports', run.id, '--get', folder]);
    expect(reports.code).toBe(0);
    const { reports: listed } = JSON.parse((await person.type(['reports', run.id, '--json'])).stdout) as {
      reports: { name: string; instance: string }[];
    };
    expect(listed.map(({ instance }) => instance).toSorted()).toEqual(['client.1', 'client.2', 'web.1']);
    for (const { name, instance } of listed) {
      const files = await filesOf(await readFile(join(folder, run.id, name)));
      if (instance === 'web.1') expect(files['var_log_slipstream_client/access.log']).toMatch(/GET \/ HTTP.* 200/);
      else expect(files['var_log_slipstream_client/page.html']).toContain('Hello from the web server');
    }

    expect((await person.type(['down', run.id])).code).toBe(0);
    expect((await only()).state).toBe('Done');
    expect(person.processes().filter((command) => !command.includes('server --embedded'))).toEqual([]);
  });

  it('runs with as many clients as asked', async () => {
    const up = await person.type(['up', 'examples/client-server', '-p', 'clients=5', '--keep-running', 'never']);
    expect(up.code).toBe(0);
    expect((await only()).state).toBe('Done');
  });
});

it('batch-cluster exchanges both ways and publishes its result', async () => {
  const up = await person.type(['up', 'examples/batch-cluster', '-p', 'workers=4', '-p', 'jobs=20']);
  expect(up.code, up.stdout + up.stderr).toBe(0);
  const run = await only();
  const result = await person.type(['get', run.id, 'ss:result']);
  expect(result.stdout).toBe('2870\n');
  const key = (await person.type(['get', run.id, 'controller.1:key', '--reveal'])).stdout.trim();
  expect(key).toMatch(/^[A-Za-z0-9]{32}$/);
  const seen = up.stdout + (await person.type(['logs', run.id])).stdout + (await person.type(['events', run.id])).stdout;
  expect(seen).not.toContain(key);
  expect((await person.type(['down', run.id])).code).toBe(0);
});

it('scripts-fail ends Aborted, names script, machine and last error line, and still delivers reports', async () => {
  const up = await person.type(['up', 'examples/scripts-fail']);
  expect(up.code).toBe(8);
  expect(up.stdout + up.stderr).toContain(
    "Failed running 'scripts-fail/broken:Deployment' script on 'broken.1': cannot read /etc/no-such-file.conf",
  );
  const run = await only();
  expect(run.state).toBe('Aborted');
  const { reports } = JSON.parse((await person.type(['reports', run.id, '--json'])).stdout) as { reports: { instance: string }[] };
  expect(reports.map(({ instance }) => instance).toSorted()).toEqual(['broken.1', 'good.1']);
});
