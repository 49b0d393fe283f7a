import { expect, test } from 'vitest';
import { isPacelineError, PacelineError } from '../errors/paceline-error.ts';
import { imageDigest } from '../digest.ts';
import { memoryFiles } from './file-source.ts';
import { loadModule } from './load-module.ts';
import type { PublishedModules } from './published-images.ts';

const head = (kind: string, name: string): string => `apiVersion: paceline.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;
const shop: Record<string, string> = {
  '/shop/base/image.yaml': `${head('Image', 'base')}spec: { packages: [curl], scripts: { postInstall: install.sh } }\n`,
  '/shop/base/install.sh': '#!/bin/sh\n',
  '/shop/web/image.yaml': `${head('Image', 'web')}spec:\n  extends: ../base\n  parameters: { port: 80 }\n  scripts: { deploy: go.sh }\n`,
  '/shop/web/go.sh': '#!/bin/sh\nss-get port\n',
  '/shop/project.yaml': head('Project', 'shop'),
  '/shop/pair/deployment.yaml': `${head('Deployment', 'pair')}spec: { nodes: { a: { image: ../web } } }\n`,
};
const { deployment: web } = await loadModule('/shop/web', { fs: memoryFiles(shop) });
const { deployment: pair } = await loadModule('/shop/pair', { fs: memoryFiles(shop) });
const digest = web.nodes['machine']?.image.digest ?? '';

/** A registry with three versions of `shop/web`, one of them deprecated, and what it was asked for. */
function registry(): PublishedModules & { asked: string[] } {
  const asked: string[] = [];
  const old = { name: 'shop/web', version: 2, deprecated: 'it leaks' };
  const newest = { name: 'shop/web', version: 3, deprecated: null };
  const found = new Map([
    ['shop/web', { module: newest, deployment: web }],
    ['shop/web@3', { module: newest, deployment: web }],
    ['shop/web@stable', { module: newest, deployment: web }],
    ['shop/web@2', { module: old, deployment: web }],
    [`shop/web@sha256:${digest}`, { module: newest, deployment: web }],
    [`shop/web@sha256:${'0'.repeat(64)}`, { module: newest, deployment: web }],
    ['shop/pair@1', { module: { ...newest, name: 'shop/pair', version: 1 }, deployment: pair }],
  ]);
  return {
    asked,
    async get(reference) {
      asked.push(reference);
      const content = found.get(reference);
      if (content === undefined) throw new PacelineError('PACELINE_NOT_FOUND', 'no');
      return content;
    },
  };
}

const deploymentOf = (image: string, other = image): string =>
  `${head('Deployment', 'd')}spec:\n  nodes:\n    a: { image: "${image}" }\n    b: { image: "${other}" }\n`;

async function refusal(reference: string, published: PublishedModules | undefined = registry()): Promise<string> {
  const files = memoryFiles({
    '/p/deployment.yaml': deploymentOf(reference, './image.yaml'),
    '/p/image.yaml': `${head('Image', 'i')}spec: {}\n`,
  });
  const failed = await loadModule('/p', published === undefined ? { fs: files } : { fs: files, published }).catch(
    (error: unknown) => error,
  );
  if (!isPacelineError(failed)) return 'no error';
  return [failed.code, failed.message, failed.hint].filter(Boolean).join('\n').replaceAll(digest, '<digest>');
}

test.each(['shop/web', 'shop/web@3', 'shop/web@stable', `shop/web@sha256:${digest}`])(
  '%s is an image for nodes, and one to extend',
  async (reference) => {
    const published = registry();
    const fs = memoryFiles({
      '/p/deployment.yaml': deploymentOf(reference, './mine/image.yaml'),
      '/p/mine/image.yaml': `${head('Image', 'mine')}spec:\n  extends: ${reference}\n  parameters: { port: 90 }\n  scripts: { deploy: own.sh }\n`,
      '/p/mine/own.sh': '#!/bin/sh\n',
    });
    const { deployment, warnings } = await loadModule('/p', { fs, published });
    expect(warnings).toEqual([]);
    const { a, b } = deployment.nodes;
    expect(a?.image.module).toBe('shop/web@3');
    expect(a?.image.digest).toBe(digest);
    expect(b?.image.parameters['port']).toMatchObject({ type: 'integer', default: '90' });
    const places = b?.image.layers.map(({ module, scripts }) => [module, ...Object.values(scripts).map(({ path }) => path)]);
    expect(places).toEqual([
      ['shop/web@3/base', 'shop/web@3/base/install.sh'],
      ['shop/web@3', 'shop/web@3/web/go.sh'],
      ['mine', 'mine/own.sh'],
    ]);
    expect(b?.image.digest).toBe(imageDigest(b?.image ?? web.nodes['machine']!.image));
    // A version that is published in between must not give one run two of them.
    expect(published.asked).toEqual([reference]);
  },
);

test('a file comes before a published module of the same name, unless a version is named', async () => {
  const published = registry();
  const fs = memoryFiles({
    '/p/deployment.yaml': deploymentOf('shop/web', 'shop/web@3'),
    '/p/shop/web/image.yaml': `${head('Image', 'mine')}spec: {}\n`,
  });
  const { deployment } = await loadModule('/p', { fs, published });
  expect(Object.values(deployment.nodes).map(({ image }) => image.module)).toEqual(['shop/web', 'shop/web@3']);
  expect(published.asked).toEqual(['shop/web@3']);
});

test('paths are never looked up in the registry', async () => {
  const published = registry();
  for (const path of ['./shop/web', '../web', 'web.yaml', 'web#x'])
    expect(await refusal(path, published)).toContain('PACELINE_MODULE_INVALID');
  expect(published.asked).toEqual([]);
});

test('a version that is deprecated is used, with a warning', async () => {
  const fs = memoryFiles({ '/p/deployment.yaml': deploymentOf('shop/web@2') });
  const { warnings } = await loadModule('/p', { fs, published: registry() });
  expect(warnings.map(({ line, severity, message }) => [line, severity, message])).toEqual([
    [6, 'warning', '`shop/web@2` is deprecated: it leaks'],
    [7, 'warning', '`shop/web@2` is deprecated: it leaks'],
  ]);
});

test('what is wrong with a reference is said where it stands', async () => {
  expect(await refusal('shop/web@9')).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p cannot be used: 1 problem.

    deployment.yaml:6:17: error: There is no published module \`shop/web@9\`.
        6 |     a: { image: "shop/web@9" }
          |                 ^^^^^^^^^^^^
      \`paceline modules\` shows all, \`paceline modules NAME\` the versions of one."
  `);
  expect(await refusal('shop/web@sttable')).toContain('There is no published module `shop/web@sttable`.');
  expect(await refusal('./shop/web@stable')).toContain('Looked for `shop/web@stable`,');
  expect(await refusal('shop/web@Stable')).toContain('There is no module `shop/web@Stable`');
  expect(await refusal('shop/wbe')).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p cannot be used: 1 problem.

    deployment.yaml:6:17: error: There is neither a module file \`shop/wbe\` nor a published module \`shop/wbe\`.
        6 |     a: { image: "shop/wbe" }
          |                 ^^^^^^^^^^
      Looked for \`shop/wbe\`, \`shop/wbe/image.yaml\`, \`shop/wbe/deployment.yaml\`."
  `);
  expect(await refusal('shop/pair@1')).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p cannot be used: 1 problem.

    deployment.yaml:6:17: error: \`shop/pair@1\` is a Deployment, not an Image.
        6 |     a: { image: "shop/pair@1" }
          |                 ^^^^^^^^^^^^^
      Nodes are made of images, and images extend images."
  `);
  expect(await refusal('../web@3')).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p cannot be used: 1 problem.

    deployment.yaml:6:17: error: Version numbers such as \`@3\` belong to published modules, not to files.
        6 |     a: { image: "../web@3" }
          |                 ^^^^^^^^^^
      Write the name of a published module as \`NAME@VERSION\`. Pin a file by its content, \`path@sha256:…\`: \`paceline plan --json\` shows the digest."
  `);
  expect(await refusal(`shop/web@sha256:${'0'.repeat(64)}`)).toContain('has the digest sha256:<digest>, not the pinned one.');
  expect(await refusal('shop/web@3', { get: registry().get.bind(undefined) })).toBe('no error');
});

test('without a registry, and with one that does not answer', async () => {
  const fs = memoryFiles({ '/p/deployment.yaml': deploymentOf('shop/web@3') });
  await expect(loadModule('/p', { fs })).rejects.toThrow('no registry is asked here');
  const get = async (): Promise<never> => {
    throw new PacelineError('PACELINE_UNREACHABLE', 'https://x does not answer', { hint: 'Is it running?' });
  };
  await expect(loadModule('/p', { fs, published: { get } })).rejects.toMatchObject({
    code: 'PACELINE_UNREACHABLE',
    message: 'The published module shop/web@3 cannot be looked up: https://x does not answer',
    hint: 'Is it running?',
  });
});
