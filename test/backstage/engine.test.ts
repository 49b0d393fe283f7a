import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '@paceline/api';
import { diskFiles, loadModule } from '@paceline/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, startBackstage, type Backstage } from '../../backstage-plugin/dev/backstage.ts';
import { processesWith } from '../support/processes.ts';
import { repository } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Visitor } from './visitor.ts';

const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/;

describe.skipIf(!isInstalled)('a real Backstage with the engine in its back end (to install it: npm ci --prefix backstage-plugin)', () => {
  let folder = '';
  let backstage: Backstage;
  let engine: Client;
  let log = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paceline-backstage-engine-'));
    const [state, clouds] = [join(folder, 'state'), join(folder, 'clouds.yaml')];
    await writeFile(clouds, `clouds: { local: { connector: local, root: ${JSON.stringify(join(folder, 'local'))} } }\n`);
    backstage = await startBackstage({ paceline: { state, clouds }, port: 0, log: (text) => (log += text) });
    const token = (await readFile(join(state, 'operator.token'), 'utf8')).trim();
    engine = createClient({ url: `${backstage.url}/api/paceline/engine`, token });
    const { deployment } = await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository });
    await engine.modules.publish({ deployment });
  }, 240_000);
  afterAll(async () => {
    await backstage?.stop();
    await until(() => assert.deepEqual(processesWith(`${folder}/local/`), []), 15_000, 50);
    await rm(folder, { recursive: true, force: true });
    // What agents and the engine prove themselves with is in no log.
    expect(log).not.toMatch(/pl[oatr]_/);
  }, 60_000);

  it('brings a deployment up from a template to a run that is ready, and takes it down again', async () => {
    const guest = await Visitor.guest(backstage.url);
    await guest.entity('template/default/test-a-component');
    const started = await guest.execute('test-a-component', { component: 'component:default/shop', clients: 1 });
    expect(started.status, started.log.join('\n')).toBe('completed');
    expect(started.log.join('\n')).toContain('client.1 | Hello from the web server');
    const [id = ''] = uuid.exec(started.log.find((line) => line.includes('Run ')) ?? '') ?? [];
    const run = await engine.runs.get(id);
    expect(run).toMatchObject({
      state: 'Ready',
      createdBy: 'user:development/guest via backstage',
      tags: ['entity:component:default/shop', 'owner:group:default/sellers'],
    });
    // Machines have come through Backstage, and each keeps a connection for both ways.
    expect(log).toContain('"GET /api/paceline/engine/agent/files/');
    expect(log).not.toContain('"GET /api/paceline/engine/agent/stream');
    const ended = await guest.execute('end-a-run', { run: id });
    expect(ended.status, ended.log.join('\n')).toBe('completed');
    expect(await engine.runs.get(id)).toMatchObject({ state: 'Done' });
  }, 200_000);
});
