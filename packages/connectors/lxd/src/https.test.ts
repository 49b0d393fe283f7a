import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { connectorModule } from './index.ts';
import { context, openLxd } from './testing/lxd.ts';
import { withLxd } from './testing/with-lxd.ts';

const { signal } = context;
const serverSchema = z.object({
  config: z.record(z.string(), z.unknown()),
  environment: z.object({ certificate: z.string() }),
});

test(
  'over HTTPS the server is the pinned one, and we are whom it trusts',
  withLxd(async () => {
    await using lxd = await openLxd();
    const folder = await mkdtemp(join(tmpdir(), 'paceline-https-'));
    const [certificate, key, serverCertificate] = ['client.crt', 'client.key', 'server.crt'].map((name) => join(folder, name));
    if (certificate === undefined || key === undefined || serverCertificate === undefined) {
      throw new Error('no paths');
    }
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=test'], {
      stdio: 'ignore',
    });
    const client = new X509Certificate(await readFile(certificate));
    const server = await lxd.client.get('ask', '/1.0', serverSchema, { signal });
    await writeFile(serverCertificate, server.environment.certificate);
    const url = `https://${String(server.config['core.https_address'])}`;
    const { project } = lxd.config;
    const open = (more: Record<string, unknown>) => connectorModule.createConnector({ url, certificate, key, project, ...more });
    const probe = (more: Record<string, unknown>) => open(more).probe(context);

    try {
      await expect(probe({})).rejects.toMatchObject({ code: 'auth', details: { hint: expect.stringContaining('serverCertificate') } });
      await expect(probe({ serverCertificate: certificate })).rejects.toMatchObject({ code: 'auth' });
      await expect(probe({ serverCertificate: join(folder, 'none') })).rejects.toMatchObject({ code: 'auth' });
      await expect(probe({ serverCertificate })).rejects.toMatchObject({
        code: 'auth',
        details: { hint: expect.stringContaining('lxc config trust add') },
      });
      const connector = open({ serverCertificate });
      await expect(connector.terminate(['server-1'], context)).rejects.toMatchObject({ code: 'forbidden' });

      const body = { type: 'client', name: project, certificate: client.raw.toString('base64'), restricted: true, projects: [project] };
      await lxd.client.change('trust us', 'POST', '/1.0/certificates', { body, signal });
      expect(await connector.probe(context)).toMatchObject({ account: expect.stringContaining(`/${project}`) });
      await lxd.launchOne('#!/bin/sh\n');
      const [machine] = await lxd.list();
      expect(await connector.terminate([machine?.id ?? ''], context)).toEqual([{ id: machine?.id, gone: true }]);
      expect(await lxd.instances()).toEqual([]);
      await expect(open({ serverCertificate, project: 'default' }).probe(context)).rejects.toMatchObject({ code: 'forbidden' });
      await connector.close?.();
    } finally {
      const fingerprint = client.fingerprint256.replaceAll(':', '').toLowerCase();
      await lxd.client.change('forget us', 'DELETE', `/1.0/certificates/${fingerprint}`, { signal }).catch(() => undefined);
      await rm(folder, { recursive: true });
    }
  }),
  60_000,
);
