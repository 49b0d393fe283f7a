import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Engine } from './http.ts';

test('trusts the pinned key alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=engine', '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  );
  const spki = createPublicKey(readFileSync(cert)).export({ type: 'spki', format: 'der' });
  const pin = `sha256//${createHash('sha256').update(spki).digest('base64')}`;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) =>
    response.end(`"${request.headers.authorization}"`),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const ours = new Engine({ url, pin, key: 'k' });
    expect(await ours.json('GET', '/x')).toBe('Bearer k');
    expect(await ours.json('GET', '/x')).toBe('Bearer k');
    ours.close();
    await expect(new Engine({ url, pin: 'sha256//AAAA', key: 'k' }).json('GET', '/x')).rejects.toThrow(
      `the engine's public key is ${pin}, not sha256//AAAA`,
    );
    await expect(new Engine({ url, key: 'k' }).json('GET', '/x')).rejects.toThrow(/self.signed/);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
