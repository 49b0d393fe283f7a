import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../load/file-source.ts';
import { exportSlipstream } from './export-modules.ts';
import { importSlipstream, type Imported, type ImportedFile } from './import-modules.ts';
import { xmlText } from './xml-text.ts';

/** An image as an old server wrote it: its own scripts twice, several clouds, Windows line ends, sizes that cannot be, text in French. */
const worker = `<?xml version="1.0" encoding="UTF-8"?>\r
<!-- exported 2014 -->\r
<imageModule class="com.sixsq.slipstream.persistence.ImageModule" category="Image" name="travailleur" parentUri="/module/equipe"\r
    isBase="false" moduleReferenceUri="module/base/ubuntu-14.04/1024" description="Travailleur n°1 — &#x201C;été&#x201D; &lt;&amp;&gt;" platform="ubuntu" loginUser="ubuntu">\r
  <recipe><![CDATA[#!/bin/bash -ex\r
echo ']]]]><![CDATA[>' "\${x}" && cat <<'<END>'\r
\té€𝄞\r
<END>]]></recipe>\r
  <prerecipe>   </prerecipe>\r
  <targets>\r
    <target name="execute">#!/usr/bin/env python3&#13;
print("&lt;r&#233;sum&#233;&gt;")&#13;
</target>\r
    <target name="recipe"/>\r
    <target name="onvmadd" order="3"><![CDATA[]]>echo $SLIPSTREAM_SCALING_VMS</target>\r
  </targets>\r
  <packages><package name="libé"/><package name="nginx" key="0xABCD" repository=""/><package/></packages>\r
  <cloudImageIdentifiers>\r
    <cloudImageIdentifier cloudServiceName="exoscale-ch-gva" cloudImageIdentifier="1f2e:gva" region="GVA"/>\r
    <cloudImageIdentifier cloudServiceName="exoscale-ch-gva" cloudImageIdentifier="second"/>\r
    <cloudImageIdentifier cloudServiceName="vieux nuage" cloudImageIdentifier="x"/>\r
    <cloudImageIdentifier cloudServiceName="leer"/>\r
  </cloudImageIdentifiers>\r
  <parameters>\r
    <entry><string>nom</string><parameter name="nom" category="Input" type="String" order="7"><value><![CDATA[<Zoë & "co">]]></value><defaultValue>Anne</defaultValue></parameter></entry>\r
    <entry><string>clé</string><parameter name="clé" category="Input" type="Password"><value>secret</value></parameter></entry>\r
    <entry><string>other</string><parameter name="renamed" category="Output" type="Hidden"/></entry>\r
    <entry><string>lonely</string></entry>\r
    <entry><string>cpu.nb</string><parameter name="cpu.nb" category="Cloud" type="String"><value>2</value></parameter></entry>\r
    <entry><string>cpu.nb</string><parameter name="cpu.nb" category="Cloud" type="String"><value>4</value></parameter></entry>\r
    <entry><string>ram.GB</string><parameter name="ram.GB" category="Cloud" type="String"><value>lots</value></parameter></entry>\r
    <entry><string>hostname</string><parameter name="hostname" category="Output" type="String"><value>fixed.example</value></parameter></entry>\r
    <entry><string>exoscale-ch-gva.instance.type</string><parameter name="exoscale-ch-gva.instance.type" category="exoscale-ch-gva" type="Enum"><enumValues length="2"><string>Tiny</string><string>Huge</string></enumValues><value>Huge</value></parameter></entry>\r
    <entry><string>ec2.security.group</string><parameter name="ec2.security.group" category="ec2" type="String"><defaultValue>default</defaultValue></parameter></entry>\r
    <entry><string>occi.network.id</string><parameter name="occi.network.id" category="occi" type="String" description="Network"><instructions>From your provider</instructions></parameter></entry>\r
    <entry><string>flag</string><parameter name="flag" category="Input" type="Boolean"><value>yes</value></parameter></entry>\r
  </parameters>\r
  <notes><string>à faire</string><string/></notes>\r
</imageModule>\r
`;

/** A deployment with everything that a node can say, and what it can say wrongly. */
const cluster = `<deploymentModule category="Deployment" shortName="cluster" parentUri="module/equipe" version="77" description="">
  <nodes>
    <entry><string>master</string>
      <node name="master" multiplicity="1" cloudService="default" imageUri="/module/equipe/travailleur" maxProvisioningFailures="0">
        <parameters><entry><string>ec2.instance.type</string><parameter name="ec2.instance.type" category="ec2"><defaultValue>m1.large</defaultValue></parameter></entry></parameters>
        <parameterMappings>
          <entry><string>nom</string><parameter name="nom" isMappedValue="false" note="odd"><value>  'l&apos;été'  </value></parameter></entry>
        </parameterMappings>
      </node></entry>
    <entry><string>worker</string>
      <node name="worker" multiplicity="30" cloudService="exoscale-ch-gva" maxProvisioningFailures="3" imageUri="module/equipe/travailleur/12" network="Private">
        <parameterMappings>
          <entry><string>nom</string><parameter name="nom"><value>master:hostname</value></parameter></entry>
          <entry><string>flag</string><parameter name="flag"><value>'true'</value></parameter></entry>
          <entry><string>flag</string><parameter name="flag"><value>'false'</value></parameter></entry>
          <entry><string>empty</string><parameter name="empty"><value>''</value></parameter></entry>
          <entry><string>odd</string><parameter name="odd"><value>"\${{ 1 + 1 }}"</value></parameter></entry>
          <entry><string>dangling</string></entry>
        </parameterMappings>
      </node></entry>
    <entry><string>many</string><node name="many" multiplicity="lots" imageUri="module/elsewhere/db"><image shortName="db"><recipe>echo db</recipe></image></node></entry>
    <entry><string>ss</string><node name="ss" imageUri="module/equipe/travailleur"/></entry>
    <entry><string>gone</string></entry>
  </nodes>
  <targets><target name="execute">echo orchestrate</target></targets>
  <authz owner="zoë"><groupMembers><string>équipe</string></groupMembers></authz>
  <published publicationDate="2014-09-24"/>
</deploymentModule>`;

/** A base image of Windows, by the oldest of servers: bare names for URIs, empty elements, and what a base image cannot have. */
const base = `<?xml version='1.0'?>
<imageModule shortName="win-2012" parentUri="" isBase="true" moduleReferenceUri="images/windows" platform="windows" loginUser="Administrator" description="Ligne 1&#10;Ligne 2&#9;fin">
  <targets class="list"><target name="Execute">Write-Host "x"</target><target/><target name="prerecipe">  &#13;&#10;  </target></targets>
  <recipe>rem @echo off&#13;
echo %PATH% &gt; C:\\out.txt&#13;
</recipe>
  <packages/>
  <cloudImageIdentifiers><cloudImageIdentifier cloudServiceName="atos-es1" cloudImageIdentifier=" 42 "/><cloudImageIdentifier cloudServiceName="ifb-core" cloudImageIdentifier="7"/></cloudImageIdentifiers>
  <parameters><entry><string>ready</string><parameter name="ready" category="Output" type="RestrictedString" mandatory="true"/></entry><entry/></parameters>
  stray words
</imageModule>`;

const sources = { 'worker.xml': worker, 'cluster.xml': cluster };

function told({ unmapped }: Imported): string[] {
  return unmapped.map(({ module, field, value }) => `${module.split('/').at(-1)} ${field}: ${value}`);
}

function sorted(files: readonly ImportedFile[]): ImportedFile[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

describe('modules as nasty as they come', () => {
  it('are mapped, or told, to the last word', async () => {
    const imported = await importSlipstream(sources);
    const text = (path: string): string | undefined => imported.files.find((file) => file.path === path)?.text;
    expect(text('equipe/travailleur/post-install.sh')).toBe("#!/bin/bash -ex\necho ']]>' \"${x}\" && cat <<'<END>'\n\té€𝄞\n<END>");
    expect(text('equipe/travailleur/deploy.py')).toBe('#!/usr/bin/env python3\r\nprint("<résumé>")\r\n');
    expect(text('equipe/travailleur/on-vm-add')).toBe('echo $SLIPSTREAM_SCALING_VMS');
    expect(text('equipe/travailleur/image.yaml')).toMatchInlineSnapshot(`
      "apiVersion: paceline.dev/v1
      kind: Image
      metadata:
        name: travailleur
        description: Travailleur n°1 — “été” <&>
      spec:
        extends: ../../base/ubuntu-14.04
        resources:
          cpus: 2
        clouds:
          exoscale-ch-gva:
            image: 1f2e:gva
            login: ubuntu
        parameters:
          nom:
            type: string
            default: <Zoë & "co">
          renamed:
            type: string
            output: true
          flag:
            type: boolean
        packages:
          - nginx
        scripts:
          postInstall: post-install.sh
          deploy: deploy.py
          onVmAdd: on-vm-add
      "
    `);
    expect(text('equipe/cluster/deployment.yaml')).toMatchInlineSnapshot(`
      "apiVersion: paceline.dev/v1
      kind: Deployment
      metadata:
        name: cluster
      spec:
        nodes:
          master:
            image: ../travailleur
            parameters:
              nom:
                value: l'été
          worker:
            image: ../travailleur
            multiplicity: 30
            cloud: exoscale-ch-gva
            maxProvisioningFailures: 3
            parameters:
              nom:
                from: master:hostname
              flag:
                value: "true"
              empty:
                value: ""
          many:
            image: ../../elsewhere/db
      "
    `);
    expect(told(imported)).toMatchInlineSnapshot(`
      [
        "travailleur parameters/nom/@order: 7",
        "travailleur parameters/nom/defaultValue: Anne",
        "travailleur parameters/clé: (a password)",
        "travailleur parameters/renamed (its key): other",
        "travailleur parameters/renamed/@type: Hidden",
        "travailleur parameters/entry/string: lonely",
        "travailleur parameters/cpu.nb (Cloud): 4",
        "travailleur parameters/ram.GB (Cloud): lots",
        "travailleur parameters/hostname/value: fixed.example",
        "travailleur parameters/exoscale-ch-gva.instance.type (exoscale-ch-gva): Huge",
        "travailleur parameters/ec2.security.group (ec2): default",
        "travailleur parameters/flag/value: yes",
        "travailleur packages/package/@name: libé",
        "travailleur packages/package/@name: ",
        "travailleur cloudImageIdentifiers/exoscale-ch-gva: second",
        "travailleur cloudImageIdentifiers/vieux nuage: x",
        "travailleur @moduleReferenceUri (its version): module/base/ubuntu-14.04/1024",
        "travailleur @platform: ubuntu",
        "travailleur @class: com.sixsq.slipstream.persistence.ImageModule",
        "travailleur targets/target/@order: 3",
        "travailleur packages/package/@key: 0xABCD",
        "travailleur cloudImageIdentifiers/cloudImageIdentifier/@region: GVA",
        "travailleur parameters/entry/parameter/enumValues/@length: 2",
        "travailleur notes/string: à faire",
        "cluster nodes/master/parameters/ec2.instance.type: m1.large",
        "cluster nodes/worker/@imageUri (its version): module/equipe/travailleur/12",
        "cluster nodes/worker/parameterMappings/flag (another): (a constant)",
        "cluster nodes/worker/parameterMappings/odd: (a constant)",
        "cluster nodes/worker/parameterMappings/entry/string: dangling",
        "cluster nodes/many/image: a copy of module/elsewhere/db, which is not imported itself",
        "cluster nodes/many/@multiplicity: lots",
        "cluster nodes/ss: its name",
        "cluster nodes/entry/string: gone",
        "cluster targets/execute: echo orchestrate",
        "cluster @version: 77",
        "cluster nodes/entry/node/parameterMappings/entry/parameter/@note: odd",
        "cluster nodes/entry/node/@network: Private",
        "cluster nodes/entry/node/@imageUri: module/equipe/travailleur",
        "cluster authz/@owner: zoë",
        "cluster authz/groupMembers/string: équipe",
        "cluster published/@publicationDate: 2014-09-24",
      ]
    `);
  });

  it('are told also where they are bare: a base image of Windows', async () => {
    const imported = await importSlipstream({ 'base.xml': base });
    expect(imported.files.slice(1).map(({ path, text }) => [path, text])).toMatchInlineSnapshot(`
      [
        [
          "win-2012/image.yaml",
          "apiVersion: paceline.dev/v1
      kind: Image
      metadata:
        name: win-2012
        description: |-
          Ligne 1
          Ligne 2	fin
      spec:
        clouds:
          atos-es1:
            image: " 42 "
            login: Administrator
          ifb-core:
            image: "7"
            login: Administrator
        parameters:
          ready:
            type: string
            output: true
        scripts:
          postInstall: post-install
      ",
        ],
        [
          "win-2012/post-install",
          "rem @echo off
      echo %PATH% > C:\\out.txt
      ",
        ],
      ]
    `);
    expect(told(imported)).toMatchInlineSnapshot(`
      [
        "win-2012 parameters/ready/@type: RestrictedString",
        "win-2012 parameters/ready/@mandatory: true",
        "win-2012 targets/Execute: Write-Host "x"",
        "win-2012 @moduleReferenceUri: images/windows",
        "win-2012 @platform: windows",
        "win-2012 its text: stray words",
        "win-2012 targets/@class: list",
      ]
    `);
    const fs = memoryFiles(Object.fromEntries(imported.files.map(({ path, text }) => [`/${path}`, text])));
    const exported = await exportSlipstream('/win-2012', fs);
    expect(sorted((await importSlipstream(exported.files)).files)).toEqual(sorted(imported.files));
  });

  it('come back the same when they are exported and imported again', async () => {
    const first = await importSlipstream({ ...sources, 'db.xml': '<imageModule shortName="db" parentUri="module/elsewhere"/>' });
    const ubuntu = '<imageModule shortName="ubuntu-14.04" parentUri="module/base" isBase="true"/>';
    const { files } = await importSlipstream({ 'base.xml': ubuntu });
    const fs = memoryFiles(Object.fromEntries([...files, ...first.files].map(({ path, text }) => [`/${path}`, text])));
    const exported = await exportSlipstream('/equipe/cluster', fs);
    expect(exported.unmapped).toEqual([]);
    const again = await importSlipstream(exported.files);
    expect(sorted(again.files.filter(({ path }) => !path.startsWith('base/')))).toEqual(sorted(first.files));
    expect(again.unmapped).toEqual([]);
  });

  it.each([
    ['image', worker, cluster],
    ['base image', base, cluster],
    ['deployment', cluster.replace(/<image .*<\/image>/, ''), worker],
  ])('hide nothing: whatever is added to an %s, wherever, is told', async (_kind, xml, other) => {
    const { text, count } = marked(xml);
    const lines = told(await importSlipstream({ 'marked.xml': text, 'other.xml': other }));
    const missing = Array.from({ length: count }, (_, at) => `mark ${at}.`).filter((mark) => !lines.some((line) => line.endsWith(mark)));
    expect(missing).toEqual([]);
  });
});

/** Every element with an attribute that nobody knows. */
function marked(xml: string): { text: string; count: number } {
  let count = 0;
  const text = xml.replaceAll(/<!\[CDATA\[[^]*?\]\]>|<([A-Za-z]+)/g, (whole, name?: string) =>
    name === undefined ? whole : `${whole} mark="mark ${count++}."`,
  );
  return { text, count };
}

describe('what an import tells', () => {
  const secret = 'hunter2';
  const password = (name: string, category = 'Input'): string =>
    `<entry><string>${name}</string><parameter name="${name}" category="${category}" type="Password" value="${secret}"><value>${secret}</value>` +
    `<defaultValue>${secret}!</defaultValue><hint>${secret}</hint></parameter></entry>`;
  const mapping = (name: string, text: string): string =>
    `<entry><string>${name}</string><parameter name="${name}" type="String"><value>${text}</value></parameter></entry>`;
  const mappings = [mapping('clé', `'${secret}'`), mapping('bare', secret), mapping('twice', "'a'"), mapping('twice', `'${secret}'`)];
  const node = `<node name="web" imageUri="module/x"><parameters>${password('login.password', 'ec2')}</parameters>
    <parameterMappings>${mappings.join('')}${mapping('odd', `"\${{ ${secret} }}"`)}</parameterMappings></node>`;
  const parameters = `<parameters>${['clé', 'key', 'key'].map((name) => password(name)).join('')}${password('hostname', 'Output')}${password('x', 'ec2')}</parameters>`;

  it.each([
    ['an image', `<imageModule shortName="x">${parameters}</imageModule>`],
    [
      'a deployment',
      `<deploymentModule shortName="x">${parameters}<nodes><entry><string>web</string>${node}</entry></nodes></deploymentModule>`,
    ],
    ['a project', `<projectModule shortName="x">${parameters}</projectModule>`],
  ])('of %s are no passwords, but where they are', async (_kind, xml) => {
    const { unmapped } = await importSlipstream({ 'x.xml': xml });
    expect(unmapped.filter(({ value }) => value.includes(secret))).toEqual([]);
    expect(unmapped.filter(({ value }) => value === '(a password)').length).toBeGreaterThan(2);
  });

  it('is also the default of a parameter that has no other value', async () => {
    const parameter = (name: string, category: string): string =>
      `<entry><string>${name}</string><parameter name="${name}" category="${category}"><defaultValue>of ${name}</defaultValue></parameter></entry>`;
    const image = `<parameters>${parameter('clé', 'Input')}${parameter('hostname', 'Output')}</parameters>`;
    const overrides = '<entry><string>size</string><parameter><value>big</value><defaultValue>small</defaultValue></parameter></entry>';
    const unfit = await importSlipstream({
      'x.xml': `<imageModule shortName="x">${image}</imageModule>`,
      'd.xml': `<deploymentModule shortName="d"><nodes><entry><string>web</string><node imageUri="module/x"><parameters>${overrides}<entry><string>alone</string></entry></parameters></node></entry></nodes></deploymentModule>`,
    });
    expect(told(unfit)).toEqual([
      'x parameters/clé: of clé',
      'x parameters/hostname/defaultValue: of hostname',
      'd nodes/web/parameters/size: big',
      'd nodes/web/parameters/size/defaultValue: small',
      'd nodes/web/parameters/entry/string: alone',
    ]);
  });
});

it('takes a script for what its first line says, however long that is', async () => {
  const endings = ['/bin/sh', '/usr/bin/env python3 -u', ' /bin/bash -e -x\r', '/opt/python2.7', '/usr/bin/perl', '', '1'.repeat(200_000)];
  const file = async (line: string): Promise<string | undefined> => {
    const xml = `<imageModule shortName="x"><targets><target name="execute">#!${line.replace('\r', '&#13;')}\ntrue\n</target></targets></imageModule>`;
    return (await importSlipstream({ 'x.xml': xml })).files.at(-1)?.path;
  };
  expect(await Promise.all(endings.map(file))).toEqual(['.sh', '.py', '.sh', '.py', '', '', ''].map((ending) => `x/deploy${ending}`));
});

describe('the encoding of a file', () => {
  it.each([
    ['ISO-8859-1', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>été</a>', 'latin1')],
    ['UTF-8', Buffer.from("<?xml version='1.0' encoding='utf-8'?><a>été</a>")],
    ['UTF-8, which nobody has said', Buffer.from('<a>été</a>')],
    ['UTF-16', Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a>été</a>', 'utf16le')],
  ])('is %s when it says so', (_name, bytes) => {
    expect(xmlText('a.xml', bytes)).toMatch(/<a>été<\/a>$/);
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from('<a>été</a>', 'latin1')],
    ['an encoding that nobody knows', Buffer.from('<?xml version="1.0" encoding="klingon"?><a/>')],
  ])('is refused for %s', (_what, bytes) => {
    expect(() => xmlText('a.xml', bytes)).toThrow(expect.objectContaining({ code: 'PACELINE_MODULE_INVALID' }));
  });
});
