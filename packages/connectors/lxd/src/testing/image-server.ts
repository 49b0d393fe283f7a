import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An image server with one image, `tiny`, that is too small to boot. */
export interface ImageServer extends AsyncDisposable {
  url: string;
  fingerprint: string;
}

export async function openImageServer(): Promise<ImageServer> {
  const image = await packImage();
  const fingerprint = createHash('sha256').update(image).digest('hex');
  const product = 'tiny:1:amd64:default';
  const item = { ftype: 'lxd_combined.tar.gz', path: 'tiny.tar.gz', sha256: fingerprint, size: image.length };
  const common = { aliases: 'tiny', arch: 'amd64', os: 'tiny', release: '1', release_title: '1', version: '1' };
  const products = { [product]: { ...common, versions: { '20260101_00:00': { items: { 'lxd_combined.tar.gz': item } } } } };
  const images = { datatype: 'image-downloads', path: 'streams/v1/images.json', format: 'products:1.0', products: [product] };
  const files: Record<string, Buffer | string> = {
    '/streams/v1/index.json': JSON.stringify({ format: 'index:1.0', index: { images } }),
    '/streams/v1/images.json': JSON.stringify({ format: 'products:1.0', datatype: 'image-downloads', content_id: 'images', products }),
    '/tiny.tar.gz': image,
  };
  const server = createServer(({ url = '' }, response) => {
    const file = files[url];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    fingerprint,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function packImage(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-image-'));
  try {
    await mkdir(join(folder, 'rootfs'));
    const created = Math.round(Date.now() / 1000);
    await writeFile(join(folder, 'metadata.yaml'), `architecture: x86_64\ncreation_date: ${created}\nproperties: {}\n`);
    execFileSync('tar', ['-C', folder, '-czf', join(folder, 'image'), 'metadata.yaml', 'rootfs']);
    return await readFile(join(folder, 'image'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
