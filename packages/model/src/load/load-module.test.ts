import { expect, test } from 'vitest';
import { isPacelineError } from '../errors/paceline-error.ts';
import { resolvedDeployment } from '../resolved/deployment.ts';
import { memoryFiles } from './file-source.ts';
import { type LoadedModule, loadModule } from './load-module.ts';

const head = (kind: string, name: string): string => `apiVersion: paceline.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;
const image = (name: string, spec: string): string => `${head('Image', name)}spec:\n${spec}`;

const files: Record<string, string> = {
  '/p/project.yaml': head('Project', 'demo'),
  '/p/debian/image.yaml': image(
    'debian',
    `  clouds: { aws-paris: { image: ami-1, login: admin }, lab: debian-12 }
  resources: { cpus: 1, memory: 1GiB }
  parameters: { greeting: hello, size: { values: [small, large], default: small } }
  packages: [curl]
  scripts: { preInstall: prepare.sh }
`,
  ),
  '/p/debian/prepare.sh': '#!/bin/sh\nexport DEBIAN_FRONTEND=noninteractive\n',
  '/p/apache/image.yaml': image(
    'apache',
    `  extends: ../debian
  resources: { memory: 2GiB, disk: 10GiB }
  clouds: { lab: { image: debian-12-web } }
  parameters:
    port: { type: integer, default: 8080, minimum: 1 }
    version: 3.10
    greeting: { description: What to say }
    size: large
    ready: { type: boolean, output: true }
    token: { type: password }
    empty:
  packages: [apache2]
  ports: [8080, 53/udp, { port: 443 }]
  scripts:
    postInstall: install.sh
    deploy: |
      #!/bin/bash
      ss-set ready true
`,
  ),
  '/p/apache/install.sh': '#!/bin/sh\na2enmod status\n',
  '/p/client/image.yaml': image(
    'client',
    '  extends: ../debian/image.yaml\n  parameters: { webserver.hostname: , webserver.port: { type: integer }, flag: false, name: x }\n',
  ),
  '/p/web/deployment.yaml': `${head('Deployment', 'web')}spec:
  parameters:
    clients: { type: integer, default: 1, minimum: 1 }
    site: main
  nodes:
    apache: { image: ../apache, cloud: aws-paris }
    client:
      image: ../client/image.yaml
      multiplicity: \${{ parameters.clients * 2 }}
      maxProvisioningFailures: 1
      parameters:
        webserver.hostname: { from: "apache:hostname" }
        webserver.port: { from: "apache:port" }
        flag: yes
        name: { value: "\${{ parameters.site }}-client" }
  keepRunning: never
  timeout: 10m
`,
};

const load = (path: string, more: Record<string, string> = {}, links: Record<string, string> = {}): Promise<LoadedModule> =>
  loadModule(path, { fs: memoryFiles({ ...files, ...more }, links) });

async function refusal(path: string, more: Record<string, string> = {}, links: Record<string, string> = {}): Promise<string> {
  try {
    await load(path, more, links);
  } catch (error) {
    if (isPacelineError(error)) return `${error.code}\n${error.message}`;
    throw error;
  }
  return 'no error';
}

test('a deployment with its images, inherited and resolved', async () => {
  const { deployment, warnings } = await load('/p/web');
  expect(warnings).toEqual([]);
  expect(resolvedDeployment.parse(deployment)).toEqual(deployment);
  const { nodes, digest: _, ...rest } = deployment;
  expect(rest).toMatchInlineSnapshot(`
    {
      "keepRunning": "never",
      "kind": "Deployment",
      "lifetimeMs": 14400000,
      "module": "web",
      "name": "web",
      "onStall": "abort",
      "parameters": {
        "clients": {
          "default": "1",
          "minimum": 1,
          "type": "integer",
        },
        "site": {
          "default": "main",
          "type": "string",
        },
      },
      "tags": [],
      "timeoutMs": 600000,
    }
  `);
  expect(nodes['apache']).toMatchInlineSnapshot(`
    {
      "cloud": "aws-paris",
      "image": {
        "clouds": {
          "aws-paris": {
            "image": "ami-1",
            "login": "admin",
          },
          "lab": {
            "image": "debian-12-web",
          },
        },
        "digest": "0287d8568a6d34c5c5aae6a5b5378543436d3adf0e4983a48101eba595ad0d81",
        "layers": [
          {
            "module": "debian",
            "packages": [
              "curl",
            ],
            "scripts": {
              "preInstall": {
                "path": "debian/prepare.sh",
                "text": "#!/bin/sh
    export DEBIAN_FRONTEND=noninteractive
    ",
              },
            },
          },
          {
            "module": "apache",
            "packages": [
              "apache2",
            ],
            "scripts": {
              "deploy": {
                "inline": {
                  "indent": 6,
                  "line": 21,
                },
                "path": "apache/image.yaml#deploy",
                "text": "#!/bin/bash
    ss-set ready true
    ",
              },
              "postInstall": {
                "path": "apache/install.sh",
                "text": "#!/bin/sh
    a2enmod status
    ",
              },
            },
          },
        ],
        "module": "apache",
        "name": "apache",
        "parameters": {
          "empty": {
            "type": "string",
          },
          "greeting": {
            "default": "hello",
            "description": "What to say",
            "type": "string",
          },
          "port": {
            "default": "8080",
            "minimum": 1,
            "type": "integer",
          },
          "ready": {
            "output": true,
            "type": "boolean",
          },
          "size": {
            "default": "large",
            "type": "enum",
            "values": [
              "small",
              "large",
            ],
          },
          "token": {
            "type": "password",
          },
          "version": {
            "default": "3.10",
            "type": "string",
          },
        },
        "ports": [
          {
            "port": 8080,
            "protocol": "tcp",
          },
          {
            "port": 53,
            "protocol": "udp",
          },
          {
            "port": 443,
            "protocol": "tcp",
          },
        ],
        "resources": {
          "cpus": 1,
          "diskGiB": 10,
          "memoryMiB": 2048,
        },
      },
      "maxProvisioningFailures": 0,
      "multiplicity": 1,
      "parameters": {},
    }
  `);
  const { image: client, ...node } = nodes['client'] ?? {};
  expect(node).toMatchInlineSnapshot(`
    {
      "cloud": "any",
      "maxProvisioningFailures": 1,
      "multiplicity": "parameters.clients * 2",
      "parameters": {
        "flag": {
          "value": "true",
        },
        "name": {
          "expression": "string(parameters.site) + "-client"",
        },
        "webserver.hostname": {
          "from": "apache:hostname",
        },
        "webserver.port": {
          "from": "apache:port",
        },
      },
    }
  `);
  expect(client?.parameters).toMatchInlineSnapshot(`
    {
      "flag": {
        "default": "false",
        "type": "boolean",
      },
      "greeting": {
        "default": "hello",
        "type": "string",
      },
      "name": {
        "default": "x",
        "type": "string",
      },
      "size": {
        "default": "small",
        "type": "enum",
        "values": [
          "small",
          "large",
        ],
      },
      "webserver.hostname": {
        "type": "string",
      },
      "webserver.port": {
        "type": "integer",
      },
    }
  `);
});

test('an image alone runs as the node machine', async () => {
  const loaded = await load('/p/apache/image.yaml');
  expect(loaded.kind).toBe('Image');
  const { nodes, ...rest } = loaded.deployment;
  expect(Object.keys(nodes)).toEqual(['machine']);
  expect(rest).toMatchObject({
    kind: 'Image',
    name: 'apache',
    module: 'apache',
    keepRunning: 'on-success',
    lifetimeMs: 14_400_000,
  });
});

test('a folder, a file, a document of a file: all ways to name a module', async () => {
  const several = `${image('base', '  packages: [curl]\n')}---\n${image('web', '  extends: "#base"\n')}---\n${head('Deployment', 'all')}spec:\n  nodes: { a: { image: "#web" }, b: { image: ./several.yaml#base } }\n`;
  const { deployment } = await load('/p/several.yaml', { '/p/several.yaml': several });
  expect(deployment.module).toBe('several#all');
  expect(deployment.nodes['a']?.image.layers.map(({ module }) => module)).toEqual(['several#base', 'several#web']);
  expect((await load('/p/several.yaml#web', { '/p/several.yaml': several })).kind).toBe('Image');
  const loaded = await loadModule('web', { fs: memoryFiles(files), cwd: '/p' });
  expect(loaded.deployment.module).toBe('web');
});

test('without a project.yaml, names are relative to the folder of the module', async () => {
  const { '/p/project.yaml': _, ...loose } = files;
  const { deployment } = await loadModule('/p/web', { fs: memoryFiles(loose) });
  expect(deployment.module).toBe('web');
  expect(deployment.nodes['apache']?.image.module).toBe('../apache');
});

test('an inline script knows where it is written', async () => {
  const loaded = await load('/p/apache');
  expect(loaded.kind === 'Image' && loaded.image.layers.at(-1)?.scripts.deploy).toEqual({
    path: 'apache/image.yaml#deploy',
    text: '#!/bin/bash\nss-set ready true\n',
    inline: { line: 21, indent: 6 },
  });
});

test('the digest is of the content, wherever it lies', async () => {
  const moved = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [
      path.replace('/p/', '/elsewhere/deep/'),
      text.replaceAll('description: What to say', 'description: other words'),
    ]),
  );
  const one = await load('/p/web');
  const other = await loadModule('/elsewhere/deep/web', { fs: memoryFiles(moved) });
  expect(other.deployment.digest).toBe(one.deployment.digest);
  const changed = await load('/p/web', { '/p/debian/prepare.sh': '#!/bin/sh\n' });
  expect(changed.deployment.digest).not.toBe(one.deployment.digest);
});

test('a pin holds, or says what is there instead', async () => {
  const loaded = await load('/p/apache');
  const digest = loaded.kind === 'Image' ? loaded.image.digest : '';
  const pinned = (pin: string): Record<string, string> => ({
    '/p/pinned/deployment.yaml': `${head('Deployment', 'x')}spec: { nodes: { a: { image: "../apache@sha256:${pin}" } } }\n`,
  });
  expect(await refusal('/p/pinned', pinned(digest))).toBe('no error');
  expect((await refusal('/p/pinned', pinned('0'.repeat(64)))).replaceAll(digest, '<digest>')).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/pinned cannot be used: 1 problem.

    pinned/deployment.yaml:4:30: error: \`apache\` is not what this reference pins: its digest is sha256:<digest>, the pin says sha256:0000000000000000000000000000000000000000000000000000000000000000.
        4 | spec: { nodes: { a: { image: "../apache@sha256:00000000000000000000000000000000000000000000000000000…
          |                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      The image, an ancestor or a script of it has changed. Look at the change, then pin the new digest."
  `);
  expect(await refusal('/p/pinned', pinned('12'))).toContain('A pin is `@sha256:` and 64 hexadecimal digits.');
});

test('files that are not there', async () => {
  expect(await refusal('/p/nothing')).toMatchInlineSnapshot(`
    "PACELINE_MODULE_NOT_FOUND
    There is no module \`/p/nothing\`."
  `);
  const broken = {
    '/p/b/image.yaml': image('b', '  extends: ../debain\n  scripts: { deploy: deploy.sh, report: /etc/passwd }\n'),
  };
  expect(await refusal('/p/b', broken)).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/b cannot be used: 3 problems.

    b/image.yaml:5:12: error: There is no module \`debain\`.
        5 |   extends: ../debain
          |            ^^^^^^^^^
      Looked for \`debain\`, \`debain/image.yaml\`, \`debain/deployment.yaml\`.

    b/image.yaml:6:22: error: There is no file \`b/deploy.sh\`.
        6 |   scripts: { deploy: deploy.sh, report: /etc/passwd }
          |                      ^^^^^^^^^
      The path of a script is relative to the module file.

    b/image.yaml:6:41: error: The path of a script is relative to the module file.
        6 |   scripts: { deploy: deploy.sh, report: /etc/passwd }
          |                                         ^^^^^^^^^^^"
  `);
});

test('extends: a circle, a deployment, a document that is not there', async () => {
  const more = {
    '/p/a/image.yaml': image('a', '  extends: ../b\n'),
    '/p/b/image.yaml': image('b', '  extends: ../c\n'),
    '/p/c/image.yaml': image('c', '  extends: ../a\n'),
    '/p/d/image.yaml': image('d', '  extends: ../web\n'),
    '/p/e/image.yaml': image('e', '  extends: ../apache#apachee\n'),
    '/p/f/image.yaml': image('f', '  extends: https://example.org/image.yaml\n'),
  };
  expect(await refusal('/p/a', more)).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/a cannot be used: 1 problem.

    c/image.yaml:5:12: error: The images extend each other in a circle: a → b → c → a.
        5 |   extends: ../a
          |            ^^^^"
  `);
  expect(await refusal('/p/d', more)).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/d cannot be used: 1 problem.

    d/image.yaml:5:12: error: \`../web\` is a Deployment, not an Image.
        5 |   extends: ../web
          |            ^^^^^^
      Only images extend images; a deployment is not inherited from."
  `);
  expect(await refusal('/p/e', more)).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/e cannot be used: 1 problem.

    e/image.yaml:5:12: error: There is no \`apachee\` in \`apache/image.yaml\`.
        5 |   extends: ../apache#apachee
          |            ^^^^^^^^^^^^^^^^^
      Did you mean \`apache\`?"
  `);
  expect(await refusal('/p/f', more)).toContain('not by a URL');
});

test('two nodes of a deployment in the same circle do not wait for each other', async () => {
  const more = {
    '/p/a/image.yaml': image('a', '  extends: ../b\n'),
    '/p/b/image.yaml': image('b', '  extends: ../a\n'),
    '/p/x/deployment.yaml': `${head('Deployment', 'x')}spec: { nodes: { a: { image: ../a }, b: { image: ../b } } }\n`,
  };
  expect(await refusal('/p/x', more)).toContain('circle');
});

test('mappings and values that cannot be', async () => {
  const nodes = `${head('Deployment', 'x')}spec:
  parameters: { site: main, state: x }
  nodes:
    apache:
      image: ../apache
      parameters:
        prot: 80
        ready: true
        port: many
        size: medium
        greeting: { value: "\${{ parameters.sight }}" }
        token: { from: "client:name" }
    client:
      image: ../client
      multiplicity: \${{ parameters.sites + }}
      maxProvisioningFailures: 0
      parameters:
        webserver.hostname: { from: "apache:hostnam" }
        webserver.port: { from: "apach:port" }
        flag: { from: hostname }
        name: { from: "apache:token" }
    other:
      image: ../client
      multiplicity: 2
      maxProvisioningFailures: 2
      parameters:
        name: { from: "ss:site" }
        flag: { from: "apache:ids" }
        greeting: "\${{ site }}"
`;
  expect(await refusal('/p/x', { '/p/x/deployment.yaml': nodes })).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/x cannot be used: 15 problems.

    x/deployment.yaml:5:29: error: \`state\` is a parameter of every run (\`ss:state\`); a deployment cannot declare it.
        5 |   parameters: { site: main, state: x }
          |                             ^^^^^

    x/deployment.yaml:10:9: error: The image \`apache\` of \`apache\` has no parameter \`prot\`.
       10 |         prot: 80
          |         ^^^^
      Did you mean \`port\`?

    x/deployment.yaml:11:9: error: \`ready\` is an output of \`apache\`: its scripts set it, a deployment cannot.
       11 |         ready: true
          |         ^^^^^

    x/deployment.yaml:12:15: error: \`port\` must be a whole number, not "many".
       12 |         port: many
          |               ^^^^

    x/deployment.yaml:13:15: error: \`size\` must be one of small, large, not "medium".
       13 |         size: medium
          |               ^^^^^^

    x/deployment.yaml:14:28: error: The deployment has no parameter \`sight\`.
       14 |         greeting: { value: "\${{ parameters.sight }}" }
          |                            ^^^^^^^^^^^^^^^^^^^^^^^^^
      There are: site, state.

    x/deployment.yaml:15:24: error: The mappings go in a circle: apache:token ← client:name ← apache:token.
       15 |         token: { from: "client:name" }
          |                        ^^^^^^^^^^^^^

    x/deployment.yaml:18:21: error: The expression is not understood: it ends too early.
       18 |       multiplicity: \${{ parameters.sites + }}
          |                     ^^^^^^^^^^^^^^^^^^^^^^^^^
      It is a CEL expression over \`parameters.NAME\`, such as \`parameters.clients * 2\`.

    x/deployment.yaml:21:37: error: The node \`apache\` has no parameter \`hostnam\`: neither its image \`apache\` nor the system declares it.
       21 |         webserver.hostname: { from: "apache:hostnam" }
          |                                     ^^^^^^^^^^^^^^^^
      Did you mean \`hostname\`?

    x/deployment.yaml:22:33: error: There is no node \`apach\`.
       22 |         webserver.port: { from: "apach:port" }
          |                                 ^^^^^^^^^^^^
      Did you mean \`apache\`?

    x/deployment.yaml:23:23: error: \`hostname\` is not \`node:parameter\`.
       23 |         flag: { from: hostname }
          |                       ^^^^^^^^
      For example: apache:hostname

    x/deployment.yaml:28:32: error: \`maxProvisioningFailures\` must be less than the multiplicity of 2, not 2.
       28 |       maxProvisioningFailures: 2
          |                                ^

    x/deployment.yaml:30:23: error: \`ss:\` parameters cannot be mapped.
       30 |         name: { from: "ss:site" }
          |                       ^^^^^^^^^
      Write the value \`\${{ parameters.site }}\`, or read \`ss:site\` in the script.

    x/deployment.yaml:31:23: error: \`ids\` belongs to the whole node and cannot be mapped.
       31 |         flag: { from: "apache:ids" }
          |                       ^^^^^^^^^^^^
      Read it in the script: \`ss-get apache:ids\`.

    x/deployment.yaml:32:19: error: The expression uses \`site\`, which is not known.
       32 |         greeting: "\${{ site }}"
          |                   ^^^^^^^^^^^^^
      Write \`parameters.site\`."
  `);
});

test('defaults and declarations that contradict their type', async () => {
  const spec = `  parameters:
    a: { type: integer, default: many }
    b: { type: enum }
    c: { values: [x, y], default: z }
    d: { type: string, minimum: 3 }
    e: { type: integer, minimum: 3, maximum: 2 }
    f: { pattern: "(" }
    g: { pattern: "[a-z]+", default: A1 }
    h: { type: integer, minimum: 1, default: 0 }
    i: { output: true, required: true }
    ids: 3
`;
  expect(await refusal('/p/x', { '/p/x/image.yaml': image('x', spec) })).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/x cannot be used: 10 problems.

    x/image.yaml:6:34: error: The default of \`a\` must be a whole number, not "many".
        6 |     a: { type: integer, default: many }
          |                                  ^^^^

    x/image.yaml:7:16: error: \`b\` is an enum without \`values\`.
        7 |     b: { type: enum }
          |                ^^^^
      List the allowed values: \`values: [small, large]\`.

    x/image.yaml:8:35: error: The default of \`c\` must be one of x, y, not "z".
        8 |     c: { values: [x, y], default: z }
          |                                   ^

    x/image.yaml:9:33: error: Only numbers have a \`minimum\`; \`d\` is of type string.
        9 |     d: { type: string, minimum: 3 }
          |                                 ^
      Write \`type: integer\` or \`type: number\`.

    x/image.yaml:10:34: error: No number fits \`e\`: the minimum 3 is more than the maximum 2.
       10 |     e: { type: integer, minimum: 3, maximum: 2 }
          |                                  ^

    x/image.yaml:11:19: error: The pattern of \`f\` cannot be used: Invalid regular expression: /(/u: Unterminated group.
       11 |     f: { pattern: "(" }
          |                   ^^^

    x/image.yaml:12:38: error: The default of \`g\` must match [a-z]+, not "A1".
       12 |     g: { pattern: "[a-z]+", default: A1 }
          |                                      ^^

    x/image.yaml:13:46: error: The default of \`h\` must be at least 1, not 0.
       13 |     h: { type: integer, minimum: 1, default: 0 }
          |                                              ^

    x/image.yaml:14:34: error: \`i\` is set by a script (\`output\`), so it cannot be \`required\` from the user.
       14 |     i: { output: true, required: true }
          |                                  ^^^^

    x/image.yaml:15:5: error: \`ids\` is a parameter of every node; an image cannot declare it.
       15 |     ids: 3
          |     ^^^"
  `);
});

test('no path leaves the project, by dots or by link', async () => {
  const more = {
    '/etc/passwd': 'root:x:0:0',
    '/outside/image.yaml': image('outside', '  packages: []\n'),
    '/p/x/image.yaml': image('x', '  extends: ../../outside\n  scripts: { deploy: ../../etc/passwd, report: link.sh }\n'),
  };
  expect(await refusal('/p/x', more, { '/p/x/link.sh': '/etc/passwd' })).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/x cannot be used: 3 problems.

    x/image.yaml:5:12: error: \`../outside\` is outside of the project.
        5 |   extends: ../../outside
          |            ^^^^^^^^^^^^^
      Modules and scripts must lie in the folder of project.yaml.

    x/image.yaml:6:22: error: \`../etc/passwd\` is outside of the project.
        6 |   scripts: { deploy: ../../etc/passwd, report: link.sh }
          |                      ^^^^^^^^^^^^^^^^
      Modules and scripts must lie in the folder of project.yaml.

    x/image.yaml:6:48: error: \`x/link.sh\` leads outside of the project.
        6 |   scripts: { deploy: ../../etc/passwd, report: link.sh }
          |                                                ^^^^^^^
      Modules and scripts must lie in the folder of project.yaml; this is a symbolic link out of it."
  `);
});

test('a script that no kernel would start is a warning', async () => {
  const more = {
    '/p/x/image.yaml': image('x', '  scripts: { deploy: d.sh, report: r.sh, preInstall: "echo 1\\necho 2" }\n'),
    '/p/x/d.sh': '#!/bin/sh\r\necho\r\n',
    '/p/x/r.sh': '\ufeff#!/bin/sh\n',
  };
  expect(await refusal('/p/x', more)).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/x cannot be used: 1 problem.

    x/image.yaml:5:22: warning: The script \`deploy\` has Windows line ends: no machine has an interpreter called "/bin/sh\\r".
        5 |   scripts: { deploy: d.sh, report: r.sh, preInstall: "echo 1\\necho 2" }
          |                      ^^^^
      Save it again with Unix line ends, and tell Git: \`*.sh text eol=lf\` in .gitattributes.

    x/image.yaml:5:36: warning: The script \`report\` begins with a byte order mark: its \`#!\` line is not seen.
        5 |   scripts: { deploy: d.sh, report: r.sh, preInstall: "echo 1\\necho 2" }
          |                                    ^^^^
      Save it again without BOM.

    x/image.yaml:5:54: error: The script \`preInstall\` has several lines but does not begin with \`#!\`.
        5 |   scripts: { deploy: d.sh, report: r.sh, preInstall: "echo 1\\necho 2" }
          |                                                      ^^^^^^^^^^^^^^^^
      Begin it with \`#!/bin/sh\`, or write the path of a file."
  `);
  const { warnings } = await load('/p/x', { ...more, '/p/x/image.yaml': image('x', '  scripts: { deploy: d.sh }\n') });
  expect(warnings.map(({ severity }) => severity)).toEqual(['warning']);
});

test('files that are too large, and text in other encodings', async () => {
  const fs = memoryFiles({
    '/p/image.yaml': image('x', '  scripts: { deploy: big.sh, report: latin.sh }\n'),
    '/p/big.sh': '#'.repeat(1024 * 1024 + 1),
    '/p/latin.sh': Buffer.from('#!/bin/sh\necho caf\xe9\n', 'latin1'),
    '/q/image.yaml': '#'.repeat(512 * 1024 + 1),
  });
  await expect(loadModule('/p', { fs })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PacelineError: /p cannot be used: 2 problems.

    image.yaml:5:22: error: \`big.sh\` is larger than 1024 KiB.
        5 |   scripts: { deploy: big.sh, report: latin.sh }
          |                      ^^^^^^

    image.yaml:5:38: error: The script \`latin.sh\` is not UTF-8 text (line 2).
        5 |   scripts: { deploy: big.sh, report: latin.sh }
          |                                      ^^^^^^^^
      Save it again as UTF-8; binaries belong on the machine, not in a module.]
  `);
  await expect(loadModule('/q', { fs })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PacelineError: /q cannot be used: 1 problem.

    /q:1:1: error: \`image.yaml\` is larger than 512 KiB.]
  `);
});

test('a project is not run, and a project.yaml of another tool is not ours', async () => {
  expect(await refusal('/p/project.yaml')).toMatchInlineSnapshot(`
    "PACELINE_MODULE_INVALID
    /p/project.yaml is a Project: there is nothing in it to run."
  `);
  const { '/p/project.yaml': _, ...loose } = files;
  const { deployment } = await loadModule('/p/web', {
    fs: memoryFiles({ ...loose, '/p/project.yaml': 'name: other tool\n' }),
  });
  expect(deployment.nodes['apache']?.image.module).toBe('../apache');
});
