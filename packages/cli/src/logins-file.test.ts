import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLogins } from './logins-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paceline-logins-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function written(text: string): Promise<string> {
  const path = join(folder, 'logins.yaml');
  await writeFile(path, text);
  return path;
}

test('says whose jobs may log in, GitHub’s own issuer being the default', async () => {
  const path = await written('github:\n  audience: https://p.example.org\n  allow:\n    - repository: octo/app\n');
  expect(await readLogins(path, {})).toEqual({
    github: {
      issuer: 'https://token.actions.githubusercontent.com',
      audience: 'https://p.example.org',
      allow: [{ repository: ['octo/app'], role: 'deployer' }],
    },
  });
});

test.each([
  ['', 'does not say who may log in'],
  ['github: [', 'is not valid YAML'],
  ['github: { audience: x, allow: [{ ref: main }] }', 'must name a repository or an owner'],
  ['github: { audience: x, allow: [{ owner: octo }] }\ngitlab: {}', 'gitlab'],
  ['oidc: { issuer: "http://id.example.org", url: "https://p.example.org", clientId: x, user: email }', 'must be https'],
  ['oidc: { issuer: "https://id.example.org", url: "https://p.example.org", clientId: x }', 'user'],
  [
    'oidc: { issuer: "https://i.example.org", url: "https://p.example.org", clientId: x, user: sub, roles: [{ claim: a, project: p, role: admin }] }',
    'go together',
  ],
])('%j is refused', async (text, why) => {
  const path = await written(text);
  await expect(readLogins(path, {})).rejects.toThrow(why);
  await expect(readLogins(path, {})).rejects.toMatchObject({ code: 'PACELINE_REQUEST_INVALID', message: expect.stringContaining(path) });
});

test('says who logs people in, with a secret that need not be in the file', async () => {
  const path = await written(
    'oidc: { issuer: https://id.example.org, url: https://p.example.org, clientId: paceline, clientSecret: from the file, user: email }\n',
  );
  expect((await readLogins(path, {})).oidc).toMatchObject({ issuer: 'https://id.example.org', clientSecret: 'from the file', roles: [] });
  expect((await readLogins(path, { PACELINE_OIDC_CLIENT_SECRET: 'from outside' })).oidc).toMatchObject({ clientSecret: 'from outside' });
});

test('a file that is not there is said to be so', async () => {
  await expect(readLogins(join(folder, 'none.yaml'), {})).rejects.toThrow('cannot be read: ENOENT');
});
