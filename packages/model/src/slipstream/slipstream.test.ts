import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { memoryFiles } from '../load/file-source.ts';
import { loadModule } from '../load/load-module.ts';
import { deploymentSpec, type DeploymentFile } from '../schema/deployment.ts';
import { imageSpec, type ImageFile } from '../schema/image.ts';
import { parameterDetails } from '../schema/parameter.ts';
import { exportSlipstream } from './export-modules.ts';
import { importSlipstream, type ImportedFile } from './import-modules.ts';
import { writeXml, type Tag } from './xml-writer.ts';

const apache = `<?xml version="1.0" encoding="UTF-8"?>
<imageModule category="Image" shortName="apache" parentUri="module/examples/web" version="481" isBase="false" description="Apache &amp; co"
    moduleReferenceUri="module/examples/images/debian/12" platform="debian" loginUser="" logoLink="http://x/logo.png"
    creation="2015-01-01 10:00:00.0 UTC" deleted="false">
  <authz owner="alice" ownerGet="true"/>
  <commit author="alice"><comment>First</comment></commit>
  <targets>
    <target name="execute"><![CDATA[#!/bin/bash -e
ss-set ready "true" && echo '<ok>'	]]></target>
    <target name="report">#!/usr/bin/python2.7
print("x")
</target>
    <target name="onvmadd"></target>
    <target name="exotic">#!/bin/sh</target>
  </targets>
  <packages><package name="apache2" repository="ppa:x"/></packages>
  <prerecipe>#!/bin/sh
apt-get update
</prerecipe>
  <recipe/>
  <parameters class="org.hibernate.collection.PersistentMap">
    <entry><string>port</string><parameter name="port" category="Input" type="String" mandatory="true" readonly="true" isSet="true" description="Port"><value>8080</value><instructions>Above 1024</instructions></parameter></entry>
    <entry><string>mode</string><parameter name="mode" category="Input" type="Enum"><enumValues length="2"><string>a</string><string>b</string></enumValues><value>b</value></parameter></entry>
    <entry><string>ready</string><parameter name="ready" category="Output" type="String" description=""/></entry>
    <entry><string>hostname</string><parameter name="hostname" category="Output" type="String" description="address"/></entry>
    <entry><string>ram.GB</string><parameter name="ram.GB" category="Cloud" type="String"><value>2</value></parameter></entry>
    <entry><string>ec2.instance.type</string><parameter name="ec2.instance.type" category="ec2" type="String"><value>m1.small</value></parameter></entry>
    <entry><string>network</string><parameter name="network" category="Cloud" type="Enum"/></entry>
  </parameters>
  <notes><string>look here</string></notes>
</imageModule>`;

const debian = `<imageModule category="Image" shortName="debian" parentUri="module/examples/images" isBase="true" loginUser="admin" platform="debian">
  <cloudImageIdentifiers><cloudImageIdentifier resourceUri="module/x/1/lab" cloudServiceName="lab" region="west" cloudImageIdentifier="ami-1"/></cloudImageIdentifiers>
</imageModule>`;

const system = `<deploymentModule category="Deployment" shortName="system" parentUri="module/examples/web">
  <nodes>
    <entry><string>apache</string><node name="apache" multiplicity="1" cloudService="default" imageUri="module/examples/web/apache" network="Public">
      <image><imageModule shortName="apache"><targets/></imageModule></image></node></entry>
    <entry><string>client</string><node name="client" multiplicity="3" maxProvisioningFailures="1" cloudService="lab" imageUri="module/examples/web/apache/12">
      <parameterMappings>
        <entry><string>port</string><parameter name="port" isMappedValue="true" type="String"><value>apache:ready</value></parameter></entry>
        <entry><string>mode</string><parameter name="mode" type="String"><value>'a'</value></parameter></entry>
        <entry><string>bad</string><parameter name="bad"><value>neither</value></parameter></entry>
      </parameterMappings></node></entry>
  </nodes>
  <targets><target name="execute">#!/bin/sh
orchestrate</target></targets>
</deploymentModule>`;

function textOf(files: readonly ImportedFile[], path: string): string | undefined {
  return files.find((file) => file.path === path)?.text;
}

describe('importing', () => {
  it('maps an image, its scripts byte for byte, and names all that has no place', async () => {
    const { files, unmapped } = await importSlipstream({ 'apache.xml': apache });
    expect(textOf(files, 'examples/web/apache/image.yaml')).toMatchInlineSnapshot(`
      "apiVersion: paceline.dev/v1
      kind: Image
      metadata:
        name: apache
        description: Apache & co
        logo: http://x/logo.png
      spec:
        extends: ../../images/debian
        resources:
          memory: 2GiB
        parameters:
          port:
            type: string
            description: |-
              Port

              Above 1024
            default: "8080"
            required: true
          mode:
            type: enum
            values:
              - a
              - b
            default: b
          ready:
            type: string
            output: true
        packages:
          - apache2
        scripts:
          preInstall: pre-install.sh
          deploy: deploy.sh
          report: report.py
      "
    `);
    expect(textOf(files, 'examples/web/apache/deploy.sh')).toBe(`#!/bin/bash -e\nss-set ready "true" && echo '<ok>'\t`);
    expect(files.slice(1).map(({ path }) => path)).toEqual(
      ['image.yaml', 'pre-install.sh', 'deploy.sh', 'report.py'].map((name) => `examples/web/apache/${name}`),
    );
    expect(unmapped.map(({ module, field, value }) => `${module} ${field}: ${value}`)).toMatchInlineSnapshot(`
      [
        "examples/web/apache parameters/port/@readonly: true",
        "examples/web/apache parameters/ec2.instance.type (ec2): m1.small",
        "examples/web/apache targets/exotic: #!/bin/sh",
        "examples/web/apache @moduleReferenceUri (its version): module/examples/images/debian/12",
        "examples/web/apache @platform: debian",
        "examples/web/apache @version: 481",
        "examples/web/apache @creation: 2015-01-01 10:00:00.0 UTC",
        "examples/web/apache @deleted: false",
        "examples/web/apache authz/@owner: alice",
        "examples/web/apache authz/@ownerGet: true",
        "examples/web/apache commit/@author: alice",
        "examples/web/apache commit/comment: First",
        "examples/web/apache packages/package/@repository: ppa:x",
        "examples/web/apache parameters/@class: org.hibernate.collection.PersistentMap",
        "examples/web/apache parameters/entry/parameter/enumValues/@length: 2",
        "examples/web/apache notes/string: look here",
      ]
    `);
  });

  it('makes what can be run of a deployment and its images', async () => {
    const { files, unmapped } = await importSlipstream({ 'a.xml': apache, 'd.xml': debian, 's.xml': system });
    const fs = memoryFiles(Object.fromEntries(files.map(({ path, text }) => [`/p/${path}`, text])));
    const { deployment } = await loadModule('/p/examples/web/system', { fs });
    const { apache: server, client } = deployment.nodes;
    expect(server?.image).toMatchObject({ clouds: { lab: { image: 'ami-1', login: 'admin' } }, resources: { memoryMiB: 2048 } });
    expect(client).toMatchObject({
      multiplicity: 3,
      cloud: 'lab',
      maxProvisioningFailures: 1,
      parameters: { port: { from: 'apache:ready' }, mode: { value: 'a' } },
    });
    expect(unmapped.filter(({ module }) => module.endsWith('system')).map(({ field }) => field)).toEqual([
      'nodes/client/@imageUri (its version)',
      'nodes/client/parameterMappings/bad',
      'targets/execute',
      'nodes/entry/node/@network',
    ]);
  });

  it('takes a project for a folder with a border around all that is imported', async () => {
    const project = `<projectModule category="Project" shortName="examples" parentUri="module" description="All">
      <children><item name="web"/></children><authz owner="x"/></projectModule>`;
    const { files, unmapped } = await importSlipstream({ 'p.xml': project });
    expect(files.map(({ path }) => path)).toEqual(['project.yaml', 'examples/project.yaml']);
    expect(files[1]?.text).toContain('description: All');
    expect(unmapped).toEqual([{ module: 'examples', field: 'authz/@owner', value: 'x' }]);
  });

  const laughs = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><imageModule shortName="x">&b;</imageModule>';
  it.each([
    ['a document type', laughs, 'has a document type'],
    ['a document type behind a comment', `<?xml version="1.0"?><!-- > -->${laughs}`, 'has a document type'],
    ['a document type in an element', '<imageModule shortName="x"><!DOCTYPE y [<!ENTITY a "b">]></imageModule>', 'x.xml'],
    ['an unknown entity', '<imageModule shortName="x">&file;</imageModule>', 'entity'],
    ['no XML', 'apiVersion: v1', 'x.xml'],
    ['an end that is missing', '<imageModule shortName="x"><targets>', 'x.xml'],
    ['no module', '<user name="x"/>', 'is no module of SlipStream'],
    ['too deep a nest', `<imageModule shortName="x">${'<a>'.repeat(100)}${'</a>'.repeat(100)}</imageModule>`, 'nested'],
    ['a place outside', '<imageModule shortName="x" parentUri="module/../.."/>', 'cannot be the place'],
    ['a name that is none', '<imageModule shortName="../x"/>', 'cannot be the place'],
    ['no name', '<imageModule/>', 'cannot be the place'],
  ])('refuses %s', async (_what, xml, message) => {
    await expect(importSlipstream({ 'x.xml': xml })).rejects.toMatchObject({
      code: 'PACELINE_MODULE_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('takes what a script writes for text, and a byte order mark for nothing', async () => {
    const script = '#!/bin/sh\necho "<!DOCTYPE html>" > index.html\n';
    const xml = `\ufeff<?xml version="1.0"?><imageModule shortName="x"><targets><target name="execute"><![CDATA[${script}]]></target></targets></imageModule>`;
    const { files, unmapped } = await importSlipstream({ 'x.xml': xml });
    expect([textOf(files, 'x/deploy.sh'), unmapped]).toEqual([script, []]);
  });

  it('names the second of two that cannot both be', async () => {
    const mapping = (value: string): string =>
      `<entry><string>port</string><parameter name="port"><value>${value}</value></parameter></entry>`;
    const node = (multiplicity: number, mappings = ''): string =>
      `<entry><string>web</string><node name="web" multiplicity="${multiplicity}" maxProvisioningFailures="${multiplicity}" imageUri="module/x${multiplicity}">` +
      `<parameterMappings>${mappings}</parameterMappings></node></entry>`;
    const parameter = (value: string): string =>
      `<entry><string>toString</string><parameter name="toString" category="Input" type="String"><value>${value}</value></parameter></entry>`;
    const { files, unmapped } = await importSlipstream({
      'd.xml': `<deploymentModule shortName="d"><nodes>${node(2, mapping("'1'") + mapping("'2'"))}${node(3)}</nodes></deploymentModule>`,
      'x2.xml':
        '<imageModule shortName="x2"><targets><target name="recipe">one</target><target name="execute">two</target><target name="execute">three</target></targets>' +
        `<recipe>four</recipe><parameters>${parameter('five')}${parameter('six')}</parameters></imageModule>`,
    });
    expect(unmapped).toEqual([
      { module: 'd', field: 'nodes/web/@maxProvisioningFailures', value: '2' },
      { module: 'd', field: 'nodes/web/parameterMappings/port (another)', value: '(a constant)' },
      { module: 'd', field: 'nodes/web (another)', value: 'module/x3' },
      { module: 'x2', field: 'parameters/toString (another)', value: 'six' },
      { module: 'x2', field: 'targets/execute (another)', value: 'three' },
      { module: 'x2', field: 'targets/recipe (another)', value: 'four' },
    ]);
    expect([textOf(files, 'x2/post-install'), textOf(files, 'x2/deploy')]).toEqual(['one', 'two']);
    const { nodes } = parse(textOf(files, 'd/deployment.yaml') ?? '').spec;
    expect(nodes).toEqual({ web: { image: '../x2', multiplicity: 2, parameters: { port: { value: '1' } } } });
    expect(parse(textOf(files, 'x2/image.yaml') ?? '').spec.parameters.toString).toEqual({ type: 'string', default: 'five' });
  });

  it('refuses two modules in one place', async () => {
    await expect(importSlipstream({ 'a.xml': apache, 'b.xml': apache })).rejects.toThrow('another module');
  });
});

describe('exporting', () => {
  it('writes what SlipStream knows, and names what it does not', async () => {
    const module = (kind: string, name: string, spec: object): string =>
      JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name, tags: ['t'] }, spec });
    const fs = memoryFiles({
      '/p/project.yaml': 'apiVersion: paceline.dev/v1\nkind: Project\nmetadata: { name: p }\n',
      '/p/web/image.yaml': module('Image', 'web', {
        parameters: { port: { type: 'integer', default: 80, minimum: 1 } },
        ports: [80],
        scripts: { deploy: '#!/bin/sh\necho "a & b" < x\r\n' },
      }),
      '/p/sys/deployment.yaml': module('Deployment', 'sys', {
        parameters: { n: 2 },
        nodes: { web: { image: '../web', multiplicity: '${{ parameters.n }}', parameters: { port: 8080 } } },
        keepRunning: 'never',
      }),
    });
    const { files, unmapped } = await exportSlipstream('/p/sys', fs);
    expect(files).toMatchInlineSnapshot(`
      {
        "sys.xml": "<?xml version="1.0" encoding="UTF-8"?>
      <deploymentModule category="Deployment" shortName="sys" parentUri="module">
        <nodes>
          <entry>
            <string>web</string>
            <node name="web" multiplicity="1" cloudService="default" imageUri="module/web">
              <parameterMappings>
                <entry>
                  <string>port</string>
                  <parameter name="port" type="String" isMappedValue="false">
                    <value>'8080'</value>
                  </parameter>
                </entry>
              </parameterMappings>
            </node>
          </entry>
        </nodes>
      </deploymentModule>
      ",
        "web.xml": "<?xml version="1.0" encoding="UTF-8"?>
      <imageModule category="Image" shortName="web" parentUri="module" isBase="true">
        <parameters>
          <entry>
            <string>port</string>
            <parameter name="port" category="Input" type="String" mandatory="false">
              <value>80</value>
            </parameter>
          </entry>
        </parameters>
        <targets>
          <target name="execute">#!/bin/sh
      echo "a &amp; b" &lt; x&#13;
      </target>
        </targets>
      </imageModule>
      ",
      }
    `);
    expect(unmapped.map(({ module, field, value }) => `${module} ${field}: ${value}`)).toMatchInlineSnapshot(`
      [
        "sys metadata/tags: t",
        "sys nodes/web/multiplicity: \${{ parameters.n }}",
        "sys keepRunning: never",
        "sys parameters: n",
        "web metadata/tags: t",
        "web ports: 80",
        "web parameters/port/minimum: 1",
        "web parameters/port/type: integer",
      ]
    `);
  });

  const file = (kind: string, name: string, spec: object, metadata: object = {}): string =>
    JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name, ...metadata }, spec });

  it('maps or names every field that there is, one by one', async () => {
    const deployment: Required<DeploymentFile['spec']> = {
      parameters: { size: 1 },
      nodes: { web: { image: '../web', maxProvisioningFailures: 0 } },
      scalable: false,
      keepRunning: 'always',
      timeout: '7m',
      lifetime: '8h',
      onStall: 'wait',
      budget: { currency: 'EUR', total: 9 },
    };
    const image: Required<Omit<ImageFile['spec'], 'extends'>> = {
      resources: { cpus: 3, memory: '5GiB', disk: '6GiB' },
      clouds: { lab: { image: 'ami-1', login: 'admin' } },
      parameters: {
        all: { type: 'integer', description: 'd', default: 8, minimum: 1, maximum: 9, pattern: '8', required: true, secret: true },
        choice: { values: ['u', 'v'] },
        made: { output: true },
      },
      packages: ['nginx'],
      ports: [8080],
      scripts: { deploy: '#!/bin/sh\ntrue\n' },
    };
    const metadata = { title: 'A title', description: 'About', tags: ['one', 'two'], logo: 'http://x/l.png' };
    const fs = memoryFiles({
      '/p/project.yaml': 'apiVersion: paceline.dev/v1\nkind: Project\nmetadata: { name: p }\n',
      '/p/web/image.yaml': file('Image', 'web', image, metadata),
      '/p/sys/deployment.yaml': file('Deployment', 'sys', deployment),
    });
    const { files, unmapped } = await exportSlipstream('/p/sys', fs);
    const told = unmapped.map(({ module, field, value }) => `${module} ${field}: ${value}`);
    expect(told).toEqual([
      'sys scalable: false',
      'sys keepRunning: always',
      'sys timeout: 7m',
      'sys lifetime: 8h',
      'sys onStall: wait',
      'sys budget: {"currency":"EUR","total":9}',
      'sys parameters: size',
      'web metadata/title: A title',
      'web metadata/tags: one',
      'web metadata/tags: two',
      'web ports: 8080',
      'web parameters/all/minimum: 1',
      'web parameters/all/maximum: 9',
      'web parameters/all/pattern: 8',
      'web parameters/all/type: integer',
      'web parameters/all/secret: true',
    ]);
    for (const written of ['About', 'http://x/l.png', '>3<', '>5<', '>6<', 'ami-1', 'admin', '"d"', '>v<', 'Output', 'nginx', 'true\n'])
      expect(files['web.xml']).toContain(written);
    // Whatever comes to be a field one day is told, if nobody thinks of it; what is told of an image is said above.
    const known = [...Object.keys(deployment), ...Object.keys(image), 'extends'];
    expect([...Object.keys(deploymentSpec.shape), ...Object.keys(imageSpec.shape)].filter((key) => !known.includes(key))).toEqual([]);
    const unsaid = Object.keys(parameterDetails.shape).filter(
      (key) => !Object.values(image.parameters ?? {}).some((one) => Object.hasOwn(Object(one), key)),
    );
    expect(unsaid).toEqual([]);
  });

  it.each([
    ['a module outside of the folder, without a project above both', '../../debian', 'project.yaml'],
    ['a name that SlipStream does not have', './the base', 'letters, digits'],
  ])('refuses %s: nothing is written where nobody looks for it', async (_what, reference, hint) => {
    const fs = memoryFiles({
      '/p/q/web/image.yaml': file('Image', 'web', { extends: reference }),
      '/p/debian/image.yaml': file('Image', 'debian', {}),
      '/p/q/web/the base/image.yaml': file('Image', 'base', {}),
    });
    await expect(exportSlipstream('/p/q/web', fs)).rejects.toMatchObject({
      code: 'PACELINE_MODULE_INVALID',
      message: expect.stringContaining('cannot be the place'),
      hint: expect.stringContaining(hint),
    });
  });

  it.each([
    ['a deployment beside its image', '/p/web/deployment.yaml', '.'],
    ['a deployment that is called as the folder of its image', '/p/deployment.yaml', './web'],
  ])('refuses %s: one of the two would be lost', async (_what, path, image) => {
    const fs = memoryFiles({
      [path]: file('Deployment', 'web', { nodes: { web: { image } } }),
      '/p/web/image.yaml': file('Image', 'web', {}),
      ...(path === '/p/deployment.yaml' ? {} : { '/p/project.yaml': file('Project', 'p', {}) }),
    });
    await expect(exportSlipstream(path, fs)).rejects.toMatchObject({
      code: 'PACELINE_MODULE_INVALID',
      message: expect.stringContaining('would both be web'),
    });
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,6}$/);
const words = fc.string({ unit: fc.constantFrom('a', ' ', '"', "'", '<', '&', '>', '\n', '\t', 'é', '𝄞', ']]>'), maxLength: 12 });
const script = fc.string({
  unit: fc.constantFrom('#!/bin/sh\n', 'x', ' ', '\n', '\r', '\t', '&', '<', '>', ']]>', '${{', '"', 'é', '𝄞', '\u0085', '\u2028'),
  maxLength: 30,
});
const kind = fc.constantFrom('String', 'Text', 'Password', 'Boolean');
const parameter = fc.record({
  type: kind,
  category: fc.constantFrom('Input', 'Output'),
  mandatory: fc.boolean(),
  description: words,
  value: fc.option(words, { nil: undefined }),
});
const image = fc.record({
  description: words,
  targets: fc.dictionary(
    fc.constantFrom('prerecipe', 'recipe', 'execute', 'report', 'onvmadd', 'onvmremove', 'prescale', 'postscale'),
    script,
  ),
  parameters: fc.dictionary(name, parameter, { maxKeys: 4 }),
  packages: fc.array(fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{0,8}$/), { maxLength: 3 }),
  clouds: fc.dictionary(name, fc.stringMatching(/^[\w.:/-]{1,12}$/), { maxKeys: 2 }),
});
const node = fc.record({
  multiplicity: fc.nat(5),
  mappings: fc.dictionary(
    name,
    fc.oneof(
      words.map((text) => `'${text}'`),
      fc.constant('other:hostname'),
    ),
    { maxKeys: 3 },
  ),
});

function entry(key: string, element: Tag): Tag {
  return { name: 'entry', children: [{ name: 'string', text: key }, element] };
}

function imageXml({ description, targets, parameters, packages, clouds }: typeof image extends fc.Arbitrary<infer T> ? T : never): string {
  return writeXml({
    name: 'imageModule',
    attributes: { category: 'Image', shortName: 'image', parentUri: 'module/p', description, loginUser: 'root' },
    children: [
      {
        name: 'parameters',
        children: Object.entries(parameters).map(([key, { type, category, mandatory, description: meaning, value }]) =>
          entry(key, {
            name: 'parameter',
            attributes: { name: key, type, category, mandatory: String(mandatory), description: meaning },
            children: value === undefined ? [] : [{ name: 'value', text: value }],
          }),
        ),
      },
      {
        name: 'targets',
        children: Object.entries(targets).map(([target, text]) => ({ name: 'target', attributes: { name: target }, text })),
      },
      { name: 'packages', children: packages.map((each) => ({ name: 'package', attributes: { name: each } })) },
      {
        name: 'cloudImageIdentifiers',
        children: Object.entries(clouds).map(([cloud, id]) => ({
          name: 'cloudImageIdentifier',
          attributes: { cloudServiceName: cloud, cloudImageIdentifier: id },
        })),
      },
    ],
  });
}

it('what is imported, exported and imported again is the same, and scripts are what they were', async () => {
  await fc.assert(
    fc.asyncProperty(image, fc.dictionary(fc.constantFrom('one', 'other', 'third'), node, { minKeys: 1 }), async (made, nodes) => {
      const deployment = writeXml({
        name: 'deploymentModule',
        attributes: { category: 'Deployment', shortName: 'system', parentUri: 'module/p' },
        children: [
          {
            name: 'nodes',
            children: Object.entries(nodes).map(([key, { multiplicity, mappings }]) =>
              entry(key, {
                name: 'node',
                attributes: { name: key, multiplicity: String(multiplicity), imageUri: 'module/p/image', cloudService: 'default' },
                children: [
                  {
                    name: 'parameterMappings',
                    children: Object.entries(mappings).map(([input, value]) =>
                      entry(input, { name: 'parameter', attributes: { name: input }, children: [{ name: 'value', text: value }] }),
                    ),
                  },
                ],
              }),
            ),
          },
        ],
      });
      const first = await importSlipstream({ 'image.xml': imageXml(made), 'system.xml': deployment });
      const texts = new Set(first.files.map(({ text }) => text));
      for (const text of Object.values(made.targets)) if (text.trim() !== '') expect(texts).toContain(text);
      const fs = memoryFiles({ ...Object.fromEntries(first.files.map(({ path, text }) => [`/${path}`, text])) });
      const exported = await exportSlipstream('/p/system', fs);
      const again = await importSlipstream(exported.files);
      const sorted = (files: ImportedFile[]): ImportedFile[] => files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
      expect(sorted(again.files)).toEqual(sorted(first.files));
    }),
    { numRuns: 100 },
  );
});
