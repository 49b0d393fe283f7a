import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lxdImage, lxdSocket, whyNoLxd } from '../support/lxd.ts';
import { bench } from './support/bench.ts';

const why = whyNoLxd === undefined ? '' : ` (${whyNoLxd})`;

/** Asks the LXD of this host by its socket. @returns its `metadata` */
async function ask(method: string, path: string, body?: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  request({ socketPath: lxdSocket, method, path, signal: AbortSignal.timeout(10_000) }, (answer) => {
    void answer.toArray().then((chunks) => {
      const { metadata, error } = JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as { metadata: unknown; error?: string };
      if (error === undefined || error === '') resolve(metadata);
      else reject(new Error(error));
    }, reject);
  })
    .on('error', reject)
    .end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

/** What a file of clouds says of an LXD elsewhere: this one, by HTTPS. Nothing in it is about how its machines get home. */
async function elsewhere(): Promise<object> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-elsewhere-'));
  const path = (name: string): string => join(folder, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const [key, certificate] = [path('client.key'), path('client.crt')];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=runner'], {
    stdio: 'ignore',
  });
  const own = new X509Certificate(await readFile(certificate));
  const fingerprint = own.fingerprint256.replaceAll(':', '').toLowerCase();
  onTestFinished(async () => {
    await ask('DELETE', `/1.0/certificates/${fingerprint}`);
    await rm(folder, { recursive: true });
  });
  await ask('POST', '/1.0/certificates', { type: 'client', name: 'paceline-runner', certificate: own.raw.toString('base64') });
  const server = (await ask('GET', '/1.0')) as { config: Record<string, string>; environment: { certificate: string } };
  await writeFile(path('server.crt'), server.environment.certificate);
  const url = `https://${server.config['core.https_address']}`;
  return { connector: 'lxd', url, certificate, key, serverCertificate: path('server.crt'), image: lxdImage };
}

describe.skipIf(why !== '')(`a cloud that is not this host${why}`, () => {
  it('has machines that cannot call the runner: the engine in the job goes to them', { timeout: 500_000 }, async () => {
    const { runner } = await bench();
    await writeFile(join(runner.workspace, 'clouds.yaml'), JSON.stringify({ clouds: { lab: await elsewhere() } }));
    const inputs = { deployment: 'examples/client-server', clouds: 'clouds.yaml', timeout: '5m' };
    const { main, post } = await runner.job('deploy', { inputs });
    expect(main.code, main.output).toBe(0);
    expect(JSON.parse(main.outputs['parameters'] ?? '')).toMatchObject({ 'web.1:ready': 'true' });
    // An address of this host would be reached without a tunnel.
    expect(main.outputs['service-url']).not.toContain('127.0.0.1');
    expect(post.code, post.output).toBe(0);
    expect(post.output).toContain('Nothing is left');
    const instances = (await ask('GET', '/1.0/instances?recursion=1')) as { name: string }[];
    expect(instances.filter(({ name }) => name.includes(main.outputs['run']?.slice(0, 8) ?? '?'))).toEqual([]);
  });
});
