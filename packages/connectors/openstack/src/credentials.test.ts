import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isConnectorError } from '@paceline/engine/connector';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { findCredentials } from './credentials.ts';
import { tokenRequest } from './log-in.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paceline-clouds-'));
  await writeFile(
    join(folder, 'clouds.yaml'),
    `clouds:
  lab:
    auth: { auth_url: "https://lab.example/v3", username: me, project_name: ours, user_domain_name: Default, project_domain_id: default }
    regions: [north, south]
    interface: internal
  robot:
    auth: { auth_url: "https://lab.example:5000", application_credential_id: 12, application_credential_secret: secret }
  federated:
    auth_type: v3oidcclientcredentials
    auth: { auth_url: "https://lab.example", identity_provider: idp, protocol: openid, client_id: me, access_token_endpoint: "https://idp.example/token" }
  kerberos:
    auth_type: v3kerberos
    auth: { auth_url: "https://lab.example" }
  half:
    auth: { auth_url: "https://lab.example", username: me }
`,
  );
  await writeFile(join(folder, 'secure.yaml'), 'clouds: { lab: { auth: { password: "pass word" } } }\n');
  await writeFile(join(folder, 'broken.yaml'), 'clouds: { lab: { auth: { password: hunter2\n');
});
afterAll(() => rm(folder, { recursive: true }));

const find = (config: Record<string, unknown>, env: NodeJS.ProcessEnv = {}) => findCredentials(configSchema.parse(config), env);
const file = (name: string): string => join(folder, name);

function refusalOf(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    if (isConnectorError(error)) return { code: error.code, message: `${error.message} ${error.details.hint ?? ''}` };
  }
  throw new Error('it was not refused');
}

test('clouds.yaml is put together with secure.yaml; the configuration chooses the region', () => {
  const found = find({ cloud: 'lab', cloudsFile: file('clouds.yaml'), region: 'south' });
  expect(found).toMatchObject({ region_name: 'south', interface: 'internal' });
  expect(find({ cloud: 'lab' }, { OS_CLIENT_CONFIG_FILE: file('clouds.yaml') }).region_name).toBe('north');
  expect(tokenRequest(found)).toEqual({
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'me', domain: { name: 'Default' }, password: 'pass word' } } },
      scope: { project: { name: 'ours', domain: { id: 'default' } } },
    },
  });
});

test('an application credential knows its user and project by itself', () => {
  expect(tokenRequest(find({ cloud: 'robot', cloudsFile: file('clouds.yaml') }))).toEqual({
    auth: { identity: { methods: ['application_credential'], application_credential: { id: '12', secret: 'secret' } } },
  });
});

test('the environment is taken when no cloud is named', () => {
  const env = {
    OS_AUTH_URL: 'https://lab.example/v3',
    OS_USER_ID: 'u1',
    OS_PASSWORD: 'secret',
    OS_PROJECT_ID: 'p1',
    OS_INTERFACE: 'publicURL',
    OS_REGION_NAME: '',
  };
  expect(find({}, env)).toMatchObject({ interface: 'public', auth: { user_id: 'u1' } });
  expect(tokenRequest(find({}, env))).toMatchObject({ auth: { scope: { project: { id: 'p1' } } } });
});

test('what cannot be used is refused, without showing a secret', () => {
  expect(refusalOf(() => find({}))).toMatchObject({ code: 'auth', message: expect.stringContaining('OS_CLOUD') as string });
  expect(refusalOf(() => find({ cloud: 'half', cloudsFile: file('clouds.yaml') })).message).toContain('neither');
  expect(refusalOf(() => find({ cloud: 'none', cloudsFile: file('clouds.yaml') })).message).toContain('has no cloud none');
  expect(refusalOf(() => find({ cloud: 'lab', cloudsFile: file('nothing.yaml') })).message).toContain('nothing.yaml');
  const { message } = refusalOf(() => find({ cloud: 'lab', cloudsFile: file('broken.yaml') }));
  expect(message).toContain('no YAML');
  expect(message).not.toContain('hunter2');
});

test('a way to log in is known by the name that OpenStack has for it, and refused by name when it is not supported', () => {
  const refused = (cloud: string): string => refusalOf(() => find({ cloud, cloudsFile: file('clouds.yaml') })).message;
  expect(refused('federated')).toBe('The cloud federated of clouds.yaml lacks client_secret, which v3oidcclientcredentials needs ');
  expect(refused('kerberos')).toContain('logs in by v3kerberos, which is not supported `auth_type` may be password, v3password,');
  const env = { OS_AUTH_URL: 'https://lab.example', OS_AUTH_TYPE: 'v3oidcaccesstoken', OS_IDENTITY_PROVIDER: 'idp', OS_PROTOCOL: 'openid' };
  expect(refusalOf(() => find({}, env)).message).toContain('lacks access_token');
  expect(find({}, { ...env, OS_ACCESS_TOKEN: 'token' })).toMatchObject({ method: 'oidcAccessToken', auth: { access_token: 'token' } });
  // What OpenStack's own tools would not look at is not looked at.
  expect(find({}, { ...env, OS_AUTH_TYPE: 'password', OS_USERNAME: 'me', OS_PASSWORD: 'secret' }).method).toBe('password');
});
