import { expect, test } from 'vitest';
import { memoryFiles } from '../load/file-source.ts';
import { loadModule } from '../load/load-module.ts';
import { planRun } from '../plan/plan-run.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import { formatDiagnostic } from '../source/diagnostic.ts';
import { checkWiring } from './check-wiring.ts';
import { cpuTimeOf } from '../testing/cpu-time.ts';

const head = (kind: string, name: string): string => `apiVersion: paceline.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;

/** Images by name: the parameters, and the scripts by phase (a `deploy` script when it is only a text). */
async function deploy(
  images: Record<string, [parameters: string, scripts: string | Record<string, string>]>,
  nodes: string,
  globals = '{}',
): Promise<ResolvedDeployment> {
  const files: Record<string, string> = {
    '/p/project.yaml': head('Project', 'p'),
    '/p/all/deployment.yaml': `${head('Deployment', 'all')}spec:\n  parameters: ${globals}\n  nodes: ${nodes}\n`,
  };
  for (const [name, [parameters, written]] of Object.entries(images)) {
    const scripts = typeof written === 'string' ? { deploy: written } : written;
    files[`/p/${name}/image.yaml`] =
      `${head('Image', name)}spec:\n  parameters: ${parameters}\n  scripts: ${JSON.stringify(Object.fromEntries(Object.keys(scripts).map((phase) => [phase, `${phase}.sh`])))}\n`;
    for (const [phase, text] of Object.entries(scripts)) files[`/p/${name}/${phase}.sh`] = text;
  }
  return (await loadModule('/p/all', { fs: memoryFiles(files) })).deployment;
}
const problems = (deployment: ResolvedDeployment): string => checkWiring(deployment).problems.map(formatDiagnostic).join('\n\n');

const apache = '{ port: { type: integer, default: 8080 }, ready: { type: boolean, output: true } }';
const client = '{ webserver.hostname: , webserver.port: , webserver.ready: }';
const mapped =
  '{ webserver.hostname: { from: "apache:hostname" }, webserver.port: { from: "apache:port" }, webserver.ready: { from: "apache:ready" } }';
const nodes = `{ apache: { image: ../apache }, client: { image: ../client, multiplicity: 3, parameters: ${mapped} } }`;
const apacheScript = '#!/bin/sh -xe\nport=$(ss-get port)\nss-set ready true\nss-set url.service "http://$(ss-get hostname):$port"\n';
const clientScript =
  '#!/bin/sh -xe\nss-get --timeout 360 webserver.ready\nwget "http://$(ss-get webserver.hostname):$(ss-get webserver.port)/"\nss-set statecustom "OK"\n';

test('the tutorial of SlipStream has no problems', async () => {
  const report = checkWiring(await deploy({ apache: [apache, apacheScript], client: [client, clientScript] }, nodes));
  expect(report).toMatchInlineSnapshot(`
    {
      "edges": [
        {
          "from": "apache",
          "parameter": "hostname",
          "to": "client",
          "via": "mapping",
        },
        {
          "from": "apache",
          "parameter": "port",
          "to": "client",
          "via": "mapping",
        },
        {
          "from": "apache",
          "parameter": "ready",
          "to": "client",
          "via": "mapping",
        },
      ],
      "notChecked": [],
      "problems": [],
    }
  `);
});

test('a key that is not declared', async () => {
  const script =
    '#!/bin/bash\nss-set redy true\nss-get apache:prot\nss-get apach:port\nss-get ss:clients\nss-get machine:x\nss-get "a b"\nif test -f x; then ss-get --noblock hostnam; fi\nss-get apache.2:port\nss-get orchestrator-aws:hostname\nss-get ss:state\nss-get apache:ids\n';
  expect(problems(await deploy({ apache: [apache, script] }, '{ apache: { image: ../apache } }', '{ client: 1 }'))).toMatchInlineSnapshot(`
    "apache/deploy.sh:2:1: error: The image \`apache\` has no parameter \`redy\`.
        2 | ss-set redy true
          | ^^^^^^^^^^^^^^^^
      Did you mean \`ready\`? An unknown key aborts the run.

    apache/deploy.sh:3:1: error: The image \`apache\` has no parameter \`prot\`.
        3 | ss-get apache:prot
          | ^^^^^^^^^^^^^^^^^^
      Did you mean \`port\`? An unknown key aborts the run.

    apache/deploy.sh:4:1: error: There is no node \`apach\`.
        4 | ss-get apach:port
          | ^^^^^^^^^^^^^^^^^
      Did you mean \`apache\`?

    apache/deploy.sh:5:1: error: The run has no parameter \`ss:clients\`.
        5 | ss-get ss:clients
          | ^^^^^^^^^^^^^^^^^
      Did you mean \`ss:client\`?

    apache/deploy.sh:6:1: error: \`machine:x\`: there is a node \`machine\` only when an image runs alone.
        6 | ss-get machine:x
          | ^^^^^^^^^^^^^^^^

    apache/deploy.sh:7:1: error: \`a b\` is not the key of a parameter.
        7 | ss-get "a b"
          | ^^^^^^^^^^^^
      A key is NAME, NODE:NAME, NODE.N:NAME or ss:NAME.

    apache/deploy.sh:8:20: warning: The image \`apache\` has no parameter \`hostnam\`.
        8 | if test -f x; then ss-get --noblock hostnam; fi
          |                    ^^^^^^^^^^^^^^^^^^^^^^^^
      Did you mean \`hostname\`? An unknown key aborts the run.

    apache/deploy.sh:9:1: warning: There is no \`apache.2\`: \`apache\` has 1 machine.
        9 | ss-get apache.2:port
          | ^^^^^^^^^^^^^^^^^^^^

    apache/deploy.sh:10:1: error: There is no orchestrator: \`orchestrator-aws:hostname\` does not exist.
       10 | ss-get orchestrator-aws:hostname
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      Set and read parameters of nodes, or of the run (\`ss:NAME\`)."
  `);
});

test('a value that nothing sets', async () => {
  expect(problems(await deploy({ apache: [apache, '#!/bin/sh\nss-get port\n'], client: [client, clientScript] }, nodes)))
    .toMatchInlineSnapshot(`
    "client/deploy.sh:2:1: error: Nothing sets \`webserver.ready\`: this would wait until its timeout, then fail. It follows \`apache:ready\`.
        2 | ss-get --timeout 360 webserver.ready
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      Set it in a script of \`apache\` (\`ss-set ready …\`) or give it a default."
  `);
  expect(
    problems(
      await deploy(
        { client: [client, clientScript] },
        '{ client: { image: ../client, parameters: { webserver.port: 80, webserver.ready: "${{ string(true) }}" } } }',
      ),
    ),
  ).toMatchInlineSnapshot(`
    "client/deploy.sh:3:16: error: Nothing sets \`webserver.hostname\`: this would wait until its timeout, then fail.
        3 | wget "http://$(ss-get webserver.hostname):$(ss-get webserver.port)/"
          |                ^^^^^^^^^^^^^^^^^^^^^^^^^
      Set it in a script of \`client\` (\`ss-set webserver.hostname …\`), give it a default, map it or give it when the run starts (\`client:webserver.hostname=…\`)."
  `);
});

test('a value that is set too late', async () => {
  const deployment = await deploy(
    { apache: [apache, { report: '#!/bin/sh\nss-set ready true\n', deploy: '#!/bin/sh\nss-get ready\n' }] },
    '{ apache: { image: ../apache } }',
  );
  expect(problems(deployment)).toMatchInlineSnapshot(`
    "apache/deploy.sh:2:1: error: Nothing sets \`ready\` in time.
        2 | ss-get ready
          | ^^^^^^^^^^^^
      It is set in apache/report.sh (report), which runs only after every deploy script has ended."
  `);
});

test('a plan knows what the user gives', async () => {
  const deployment = await deploy({ client: [client, clientScript] }, '{ client: { image: ../client } }');
  const plan = planRun(deployment, {
    parameters: { 'client:webserver.hostname': 'a', 'client:webserver.port': '80', 'client:webserver.ready': 'true' },
  });
  expect(checkWiring(deployment).problems).toHaveLength(3);
  expect(checkWiring(deployment, plan).problems).toEqual([]);
});

const pair =
  '{ a: { image: ../a, parameters: { peer: { from: "b:ready" } } }, b: { image: ../b, parameters: { peer: { from: "a:ready" } } } }';
const peer = '{ ready: { output: true }, peer: }';

test('two machines that wait for each other', async () => {
  const wait = '#!/bin/sh -e\nss-get --timeout 600 peer\nss-set ready true\n';
  expect(problems(await deploy({ a: [peer, wait], b: [peer, wait] }, pair))).toMatchInlineSnapshot(`
    "a/deploy.sh:2:1: error: a and b wait for each other: the run can never go on.
      a waits here for b:ready, which b sets (b/deploy.sh:3) only after it has got a:ready (b/deploy.sh:2)
      b waits at b/deploy.sh:2 for a:ready, which a sets (a/deploy.sh:3) only after it has got b:ready (a/deploy.sh:2)
        2 | ss-get --timeout 600 peer
          | ^^^^^^^^^^^^^^^^^^^^^^^^^
      Set what others wait for before waiting for them."
  `);
  const first = '#!/bin/sh\nss-set ready true\nss-get peer\n';
  expect(problems(await deploy({ a: [peer, first], b: [peer, wait] }, pair))).toBe('');
});

test('the order of the phases and of the ancestors counts', async () => {
  const early = { postInstall: '#!/bin/sh\nss-set ready true\n', deploy: '#!/bin/sh\nss-get peer\n' };
  const late = { postInstall: '#!/bin/sh\nss-get peer\n', deploy: '#!/bin/sh\nss-set ready true\n' };
  expect(problems(await deploy({ a: [peer, early], b: [peer, late] }, pair))).toBe('');
  expect(problems(await deploy({ a: [peer, late], b: [peer, late] }, pair))).toContain('a/postInstall.sh:2');
});

test('a circle of three, through a global and direct reads', async () => {
  const images: Parameters<typeof deploy>[0] = {
    a: ['{ done: { output: true } }', '#!/bin/sh -e\nss-get ss:token\nss-set done 1\n'],
    b: ['{ done: { output: true } }', '#!/bin/sh -e\nss-get a:done\nss-set done 1\n'],
    c: ['{ done: { output: true } }', '#!/bin/sh\nx=$(ss-get-all --timeout 0 b done)\nss-set ss:token 1\n'],
  };
  const deployment = await deploy(
    images,
    '{ a: { image: ../a }, b: { image: ../b, multiplicity: 2 }, c: { image: ../c } }',
    '{ token: { output: true } }',
  );
  expect(problems(deployment)).toMatchInlineSnapshot(`
    "a/deploy.sh:2:1: error: a, c and b.1 wait for each other: the run can never go on.
      a waits here for ss:token, which c sets (c/deploy.sh:3) only after it has got b.1:done (c/deploy.sh:2)
      c waits at c/deploy.sh:2 for b.1:done, which b.1 sets (b/deploy.sh:3) only after it has got a:done (b/deploy.sh:2)
      b.1 waits at b/deploy.sh:2 for a:done, which a sets (a/deploy.sh:3) only after it has got ss:token (a/deploy.sh:2)
        2 | ss-get ss:token
          | ^^^^^^^^^^^^^^^
      Set what others wait for before waiting for them."
  `);
  expect(checkWiring(deployment).edges).toMatchInlineSnapshot(`
    [
      {
        "from": "a",
        "parameter": "done",
        "to": "b",
        "via": "read",
      },
      {
        "from": "b",
        "parameter": "done",
        "to": "c",
        "via": "read",
      },
      {
        "from": "c",
        "parameter": "token",
        "to": "a",
        "via": "global",
      },
    ]
  `);
});

test('a machine that waits for itself', async () => {
  expect(problems(await deploy({ a: ['{ x: { output: true } }', '#!/bin/sh -e\nss-get x\nss-set x 1\n'] }, '{ a: { image: ../a } }')))
    .toMatchInlineSnapshot(`
      "a/deploy.sh:2:1: error: a waits for itself: the run can never go on.
        a waits here for a:x, which it sets only after that (a/deploy.sh:3)
          2 | ss-get x
            | ^^^^^^^^
        Set what others wait for before waiting for them."
    `);
});

test.each([
  ['branches by role', 'if [ "$(ss-get id)" = 1 ]; then ss-set ready 1; else ss-get a.1:ready; fi'],
  [
    'branches by role, the other way round',
    'if [ "$(ss-get id)" != 1 ]; then ss-get a:ready; fi\nif [ "$(ss-get id)" = 1 ]; then ss-set ready 1; fi',
  ],
  ['a case by role', 'case $(ss-get nodename) in b) ss-get peer;; *) ss-set ready 1;; esac'],
  ['a set in the background', '(sleep 5; ss-set ready 1) &\nss-get peer'],
  ['a wait in the background', '(ss-get peer; echo up) &\nss-set ready 1'],
  ['a wait whose end is handled', 'ss-get --timeout 5 peer || echo alone\nss-set ready 1'],
  ['a wait that does not wait', 'while [ -z "$(ss-get --noblock peer)" ]; do sleep 1; done\nss-set ready 1'],
  ['a set in a function', 'up() { ss-set ready 1; }\nup\nss-get peer'],
  ['a set that a trap may do', 'trap "ss-set ready 1" EXIT\nss-get peer'],
  ['a set by a script for later', "cat > /tmp/later <<'EOF'\nss-set ready 1\nEOF\nat now -f /tmp/later\nss-get peer"],
  ['a set of a name that is not known', 'for k in $(names); do ss-set $k 1; done\nss-get peer'],
])('no alarm: %s', async (_, script) => {
  const both = `#!/bin/bash\n${script}\n`;
  expect(problems(await deploy({ a: [peer, both], b: [peer, both] }, pair.replaceAll('../a,', '../a, multiplicity: 2,')))).toBe('');
});

test('a branch is a warning', async () => {
  const wait = '#!/bin/sh\nif [ -f /x ]; then ss-get peer; fi\nss-set ready true\n';
  expect(problems(await deploy({ a: [peer, wait], b: [peer, wait] }, pair))).toMatchInlineSnapshot(`
    "a/deploy.sh:2:20: warning: a and b may wait for each other.
      a waits here for b:ready, which b sets (b/deploy.sh:3) only after it has got a:ready (b/deploy.sh:2)
      b waits at b/deploy.sh:2 for a:ready, which a sets (a/deploy.sh:3) only after it has got b:ready (a/deploy.sh:2)
        2 | if [ -f /x ]; then ss-get peer; fi
          |                    ^^^^^^^^^^^
      Set what others wait for before waiting for them."
  `);
});

test('a value that somebody outside may set', async () => {
  const script = '#!/bin/sh -e\nss-get --timeout 0 in\n';
  const deployment = await deploy({ a: ['{ in: }', script] }, '{ a: { image: ../a } }');
  expect(problems({ ...deployment, onStall: 'wait' })).toMatchInlineSnapshot(`
    "a/deploy.sh:2:1: warning: Nothing sets \`in\`: this waits until somebody outside sets it.
        2 | ss-get --timeout 0 in
          | ^^^^^^^^^^^^^^^^^^^^^
      Set it in a script of \`a\` (\`ss-set in …\`), give it a default, map it or give it when the run starts (\`a:in=…\`)."
  `);
});

test('the value of a file', async () => {
  const script = '#!/bin/sh -e\nss-set --file out.txt ready\nss-set ready --file=out.txt\nss-get ready\n';
  expect(problems(await deploy({ a: [peer, script] }, '{ a: { image: ../a } }'))).toBe('');
});

test('the address of a service that nobody tells', async () => {
  expect(problems(await deploy({ a: [peer, '#!/bin/sh\nss-get ss:url.service\n'] }, '{ a: { image: ../a } }'))).toMatchInlineSnapshot(`
    "a/deploy.sh:2:1: error: Nothing sets \`ss:url.service\`: this would wait until its timeout, then fail.
        2 | ss-get ss:url.service
          | ^^^^^^^^^^^^^^^^^^^^^
      Set it in a script (\`ss-set ss:url.service …\`)."
  `);
});

test('scripts in other languages: said, and nothing is concluded from them', async () => {
  const report = checkWiring(
    await deploy(
      {
        apache: [apache, '#!/usr/bin/env python3\nimport subprocess\nsubprocess.run(["ss-set", "ready", "true"])\n'],
        client: [client, clientScript],
      },
      nodes,
    ),
  );
  expect(report.problems).toEqual([]);
  expect(report.notChecked.map(formatDiagnostic).join('\n')).toMatchInlineSnapshot(`
    "apache/deploy.sh:1:1: warning: The script is for /usr/bin/env python3, not for a shell: it is not checked.
        1 | #!/usr/bin/env python3
          | ^^^^^^^^^^^^^^^^^^^^^^"
  `);
});

test("setting another node's parameter", async () => {
  expect(
    problems(
      await deploy(
        { a: [peer, '#!/bin/sh\nss-set b:peer 1\n'], b: [peer, '#!/bin/sh\nss-get peer\n'] },
        '{ a: { image: ../a }, b: { image: ../b } }',
      ),
    ),
  ).toMatchInlineSnapshot(`
    "a/deploy.sh:2:1: warning: This sets a parameter of another node, \`b:peer\`; a machine may only set its own and those of the run (\`ss:NAME\`).
        2 | ss-set b:peer 1
          | ^^^^^^^^^^^^^^^
      Set it here under its own name, and map it in the deployment: \`peer: { from: "a:peer" }\`."
  `);
});

test('an image alone, with its script in the module file', async () => {
  const text = `${head('Image', 'x')}spec:\n  parameters: { out: { output: true }, in: }\n  scripts:\n    deploy: |\n      #!/bin/bash\n      [ "$(ss-get ss:category)" = Deployment ] && ss-get ids && ss-get db:ready\n      ss-get in\n      ss-set outt 1\n      ss-get id\n`;
  const { deployment } = await loadModule('/p', { fs: memoryFiles({ '/p/image.yaml': text }) });
  expect(problems(deployment)).toMatchInlineSnapshot(`
    "image.yaml:10:7: error: Nothing sets \`in\`: this would wait until its timeout, then fail.
       10 |       ss-get in
          |       ^^^^^^^^^
      Set it in a script of \`x\` (\`ss-set in …\`), give it a default or give it when the run starts (\`in=…\`).

    image.yaml:11:7: error: The image \`x\` has no parameter \`outt\`.
       11 |       ss-set outt 1
          |       ^^^^^^^^^^^^^
      Did you mean \`out\`? An unknown key aborts the run.

    image.yaml:12:7: error: \`id\` does not exist when the image runs alone.
       12 |       ss-get id
          |       ^^^^^^^^^
      Test \`ss-get ss:category\` first."
  `);
});

test('a script that no shell would take', async () => {
  expect(problems(await deploy({ a: [peer, '#!/bin/sh\nif true; then\n  ss-set ready 1\n'] }, '{ a: { image: ../a } }')))
    .toMatchInlineSnapshot(`
    "a/deploy.sh:4:1: warning: The shell would not understand this: expected 'fi' to close 'if'.
        4 | 
          | ^"
  `);
});

test('thousands of machines are checked as fast as a few', async () => {
  const deployment = await deploy(
    {
      a: [peer, '#!/bin/sh\nss-get-all b ready\nss-set ready 1\n'],
      b: [peer, '#!/bin/sh\nss-set ready 1\nss-get b.5000:ready\n'],
    },
    '{ a: { image: ../a, multiplicity: 10000 }, b: { image: ../b, multiplicity: 10000 } }',
  );
  expect(cpuTimeOf(() => expect(problems(deployment)).toBe(''))).toBeLessThan(1500);
});
