import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cloud, ConfiguredCloud } from '@paceline/engine';
import { beforeEach, afterEach, describe, expect, test, vi } from 'vitest';
import { CloudWatch } from './cloud-watch.ts';
import { readClouds } from './clouds-file.ts';
import { loadConnector } from './connector-package.ts';
import { openCloud, openClouds } from './open-clouds.ts';
import { behindTunnel } from './way-home.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'paceline-clouds-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, text = ''): Promise<string> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), text);
  return join(root, path);
}

const connector = 'connectorModule = { name: "x", configSchema: {}, createConnector: (config) => ({ config }) };';

describe('the file', () => {
  test('is not needed', async () => {
    const { file, entries } = await readClouds(root, undefined);
    expect({ file, entries }).toEqual({
      file: null,
      entries: [
        { name: 'local', connector: 'local', config: { root: join(root, 'local') } },
        { name: 'sandbox', connector: 'sandbox', config: { root: join(root, 'sandbox'), hide: [root] } },
      ],
    });
  });

  test('names clouds, their connectors and what these are told', async () => {
    const path = await put(
      'clouds.yaml',
      'clouds:\n  here: { connector: local, root: /srv }\n  there: { connector: aws, region: eu-west-3 }\n',
    );
    const source = await readClouds(root, undefined);
    expect(source).toMatchObject({
      file: path,
      entries: [
        { name: 'here', connector: 'local', config: { root: '/srv' } },
        { name: 'there', connector: 'aws', config: { region: 'eu-west-3' } },
      ],
    });
    await put('clouds.yaml', 'clouds: { here: { connector: local } }\n');
    expect((await readClouds(root, undefined)).digest).not.toBe(source.digest);
  });

  test('gives those that keep something a place of their own', async () => {
    const names = ['libcloud', 'local', 'qemu', 'sandbox', 'terraform'];
    await put('clouds.yaml', `clouds: { ${names.map((name) => `my-${name}: { connector: ${name} }`).join(', ')} }`);
    const { entries } = await readClouds(root, undefined);
    expect(entries.map(({ config }) => config['root'])).toEqual(names.map((name) => join(root, `my-${name}`)));
  });

  test.each(['clouds: [', 'clouds: {}\nmore: 1', 'clouds: { a: { } }', 'clouds: { "a b": { connector: local } }', 'x'])(
    'is refused when it says %j',
    async (text) => {
      await expect(readClouds(root, await put('c.yaml', text))).rejects.toMatchObject({
        code: 'PACELINE_REQUEST_INVALID',
        message: expect.stringContaining('c.yaml'),
      });
    },
  );

  test('says what runs may cost at the most', async () => {
    await put('clouds.yaml', 'clouds: { here: { connector: local } }\nbudget: { currency: EUR, perHour: 3 }\n');
    expect((await readClouds(root, undefined)).budget).toEqual({ currency: 'EUR', perHour: 3 });
    await put('clouds.yaml', 'clouds: { here: { connector: local } }\nbudget: { perHour: 3 }\n');
    await expect(readClouds(root, undefined)).rejects.toThrow('budget.currency');
  });

  test('is refused when it was named and is not there', async () => {
    await expect(readClouds(root, join(root, 'none.yaml'))).rejects.toThrow('none.yaml cannot be read');
  });
});

describe('a connector', () => {
  test('of the user comes from a package or a file of the project', async () => {
    await put('node_modules/@paceline/connector-one/package.json', '{"type":"module","exports":{"import":"./main.js"}}');
    await put('node_modules/@paceline/connector-one/main.js', `export const ${connector}`);
    await put('node_modules/two/index.cjs', `exports.${connector}`);
    await put('node_modules/two/package.json', '{"main":"index.cjs"}');
    await put('three.mjs', `const ${connector} export default connectorModule;`);
    for (const name of ['one', 'two', './three.mjs']) expect((await loadConnector(name, [root])).name, name).toBe('x');
  });

  test('that is not there is told with all that was tried', async () => {
    await put('node_modules/four/index.js', '');
    await expect(loadConnector('four', [root])).rejects.toMatchObject({
      code: 'PACELINE_CLOUD_UNKNOWN',
      message: [
        `There is no connector 'four'. Tried:`,
        `  the package @paceline/connector-four from ${root}`,
        `  ${root}/node_modules/four/index.js exports no connector`,
      ].join('\n'),
    });
  });

  test('that breaks when it is loaded says why', async () => {
    await expect(loadConnector('./five.mjs', [await put('five.mjs', 'throw new Error("no licence")').then(() => root)])).rejects.toThrow(
      'no licence',
    );
  });

  test('of others gets what its schema allows, and may take its time', async () => {
    const schema = '{ type: "object", properties: { zone: { type: "string" } }, required: ["zone"] }';
    await put(
      'six.mjs',
      `export const connectorModule = { name: "six", configSchema: ${schema}, createConnector: async (config) => ({ config }) };`,
    );
    const clouds = async (config: string) =>
      openClouds(await readClouds(root, await put('c.yaml', `clouds: { mine: { connector: ./six.mjs${config} } }`)), root);
    expect(await clouds(', zone: north')).toEqual([{ name: 'mine', connector: { config: { zone: 'north' } } }]);
    await expect(clouds(', zone: 7')).rejects.toMatchObject({
      code: 'PACELINE_REQUEST_INVALID',
      message: expect.stringMatching(/The cloud mine in .*c\.yaml: its configuration is wrong:[^]*zone/),
    });
  });

  test('refuses a configuration with the name of the cloud', async () => {
    const file = await put('c.yaml', 'clouds: { mine: { connector: local, roof: 1 } }');
    await expect(openClouds(await readClouds(root, file), root)).rejects.toMatchObject({
      code: 'PACELINE_REQUEST_INVALID',
      message: expect.stringContaining(`The cloud mine in ${file}`),
    });
  });
});

describe('a cloud that cannot be opened', () => {
  const log = { info: () => {}, warn: () => {} };
  /** Opens when there is a file `up` beside it. */
  const flaky = `import { existsSync } from 'node:fs';
    export const connectorModule = { name: "flaky", configSchema: {}, createConnector: async (config) => {
      if (!existsSync(new URL('up', import.meta.url))) throw new Error('no route to host');
      return { config };
    } };`;
  const good = `export const ${connector}`;

  test('is closed, with a reason, and keeps no other from being used', async () => {
    await put('good.mjs', good);
    await put('flaky.mjs', flaky);
    const clouds =
      '{ good: { connector: ./good.mjs }, bad: { connector: ./flaky.mjs }, wrong: { connector: local, roof: 1 }, gone: { connector: none } }';
    const opened = await openClouds(await readClouds(root, await put('c.yaml', `clouds: ${clouds}`)), root);
    expect(opened).toEqual([
      { name: 'good', connector: { config: {} } },
      {
        name: 'bad',
        connector: './flaky.mjs',
        why: expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('c.yaml: no route to host') }),
      },
      {
        name: 'wrong',
        connector: 'local',
        why: expect.objectContaining({ code: 'invalid', message: expect.stringContaining('The cloud wrong in') }),
      },
      {
        name: 'gone',
        connector: 'none',
        why: expect.objectContaining({ code: 'invalid', message: expect.stringContaining("There is no connector 'none'") }),
      },
    ]);
  });

  test('is opened later, and so is what is added to the file; what is open stays as it is', async () => {
    await put('good.mjs', good);
    await put('flaky.mjs', flaky);
    const file = await put('c.yaml', 'clouds: { good: { connector: ./good.mjs }, bad: { connector: ./flaky.mjs } }');
    const source = await readClouds(root, file);
    const clouds = await openClouds(source, root);
    const come: ConfiguredCloud[] = [];
    const said: string[] = [];
    const told = { info: log.info, warn: (message: string) => void said.push(message) };
    const watch = new CloudWatch({
      source,
      read: () => readClouds(root, file),
      clouds,
      program: root,
      set: (cloud) => void come.push(cloud),
      log: told,
    });
    const begun = Date.now();
    await put('up');
    await watch.look(begun);
    expect(come).toEqual([]);
    await put(
      'c.yaml',
      'clouds: { good: { connector: ./good.mjs, a: 1 }, bad: { connector: ./flaky.mjs }, more: { connector: ./good.mjs, a: 2 } }',
    );
    await watch.look(begun + 60_000);
    expect(come.toSorted((one, other) => one.name.localeCompare(other.name))).toEqual([
      { name: 'bad', connector: { config: {} } },
      { name: 'more', connector: { config: { a: 2 } } },
    ]);
    await put('c.yaml', 'clouds: [');
    await watch.look(begun + 120_000);
    await watch.look(begun + 180_000);
    expect(come).toHaveLength(2);
    expect(said.map((text) => text.replaceAll(/\s+/g, ' '))).toEqual([
      expect.stringContaining('no route to host. No run can use it; it is tried again in 15 s.'),
      'The cloud good has changed: it is taken as it was until the server starts again',
      expect.stringMatching(/c\.yaml is not valid YAML: .* The clouds stay as they are\.$/),
    ]);
  });

  test('is not tried any more when it is taken out of the file, until it is put in again', async () => {
    await put('good.mjs', good);
    await put('flaky.mjs', flaky);
    const both = 'clouds: { good: { connector: ./good.mjs }, bad: { connector: ./flaky.mjs } }';
    const file = await put('c.yaml', both);
    const source = await readClouds(root, file);
    const come: ConfiguredCloud[] = [];
    const said: string[] = [];
    const watch = new CloudWatch({
      source,
      read: () => readClouds(root, file),
      clouds: await openClouds(source, root),
      program: root,
      set: (cloud) => void come.push(cloud),
      log: { info: log.info, warn: (message) => void said.push(message) },
    });
    const begun = Date.now();
    await put('up');
    await put('c.yaml', 'clouds: { good: { connector: ./good.mjs } }');
    await watch.look(begun + 60_000);
    await watch.look(begun + 120_000);
    const why = expect.objectContaining({ message: `The cloud bad is not in ${file} any more` });
    expect(come).toEqual([{ name: 'bad', connector: './flaky.mjs', why }]);
    expect(said.slice(1)).toEqual([`The cloud bad is not in ${file} any more, and not tried again`]);
    await put('c.yaml', both);
    await watch.look(begun + 121_000);
    expect(come.slice(1)).toEqual([{ name: 'bad', connector: { config: {} } }]);
  });

  test('keeps no other waiting when it never answers, for longer than whoever started the engine waits', async () => {
    await put('good.mjs', good);
    await put(
      'silent.mjs',
      'export const connectorModule = { name: "s", configSchema: {}, createConnector: () => new Promise(() => {}) };',
    );
    const file = await put('c.yaml', 'clouds: { good: { connector: ./good.mjs }, silent: { connector: ./silent.mjs } }');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const opening = openClouds(await readClouds(root, file), root);
      while (vi.getTimerCount() === 0) await new Promise(setImmediate);
      vi.advanceTimersByTime(15_000);
      expect(await opening).toMatchObject([
        { name: 'good', connector: {} },
        { name: 'silent', why: { code: 'timeout', message: expect.stringContaining('has not been opened within 15 s') } },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is a failure when there is no other, and it never opens as it is', async () => {
    await put('flaky.mjs', flaky);
    const open = async (clouds: string) => openClouds(await readClouds(root, await put('c.yaml', `clouds: ${clouds}`)), root);
    await expect(open('{ gone: { connector: none } }')).rejects.toMatchObject({ code: 'PACELINE_CLOUD_UNKNOWN' });
    expect(await open('{ bad: { connector: ./flaky.mjs } }')).toMatchObject([{ why: { code: 'unavailable' } }]);
  });
});

test('machines that would call an engine that listens on its own host alone are gone to by SSH, unless their cloud says otherwise', async () => {
  const module = (reach: string): string =>
    `export const connectorModule = { name: "x", configSchema: {}, createConnector: () => ({ capabilities: { reach: "${reach}" } }) };`;
  await put('direct.mjs', module('direct'));
  await put('host.mjs', module('host'));
  const clouds = '{ far: { connector: ./direct.mjs }, told: { connector: ./direct.mjs, reach: direct }, here: { connector: ./host.mjs } }';
  const opened = await openClouds(await readClouds(root, await put('c.yaml', `clouds: ${clouds}`)), root);
  const reaches = Object.fromEntries(opened.map((cloud) => [cloud.name, (behindTunnel(cloud) as Cloud).reach]));
  expect(reaches).toEqual({ far: 'tunnel', told: 'direct', here: undefined });
});

test('connectors tell what stands for no image, so that what is built on it is not taken for built on another', async () => {
  const auth = 'auth: { auth_url: "http://127.0.0.1:9", username: me, password: secret, project_name: mine }';
  const cloudsFile = await put('openstack.yaml', `clouds: { c: { ${auth} } }`);
  const configs = {
    aws: 'region: eu-west-3, image: usual',
    lxd: 'image: usual',
    openstack: `cloud: c, cloudsFile: ${cloudsFile}, image: usual`,
    qemu: 'image: usual',
    sandbox: 'image: /usual',
  };
  const clouds = Object.entries(configs).map(([name, config]) => `  ${name}: { connector: ${name}, ${config} }\n`);
  const source = await readClouds(root, await put('usual.yaml', `clouds:\n${clouds.join('')}`));
  const opened = await Promise.all(source.entries.map((entry) => openCloud(entry, source, root)));
  expect(opened.map((cloud) => cloud.connector.info.image)).toEqual(['usual', 'usual', 'usual', 'usual', '/usual']);
  for (const cloud of opened) await cloud.connector.close?.();
});
