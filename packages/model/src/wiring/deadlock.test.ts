import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { diskFiles } from '../load/disk-files.ts';
import { memoryFiles } from '../load/file-source.ts';
import { loadModule } from '../load/load-module.ts';
import { planRun } from '../plan/plan-run.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import { type Diagnostic, formatDiagnostic } from '../source/diagnostic.ts';
import { checkWiring } from './check-wiring.ts';
import { cpuTimeOf } from '../testing/cpu-time.ts';

const head = (kind: string, name: string): string => `apiVersion: paceline.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n`;
const image = (name: string, parameters: string, deploy: string, more = ''): string =>
  `${head('Image', name)}${more}  parameters: ${parameters}\n  scripts:\n    deploy: |\n${deploy.replaceAll(/^/gm, '      ')}\n`;

/** Images by name, and what the deployment says of its nodes and of itself. */
async function system(images: Record<string, string>, nodes: string, more = ''): Promise<ResolvedDeployment> {
  const files = Object.entries(images).map(([name, text]) => [`/p/${name}/image.yaml`, text]);
  const deployment = `${head('Deployment', 'all')}  nodes: ${nodes}\n${more}`;
  const fs = memoryFiles({ ...Object.fromEntries(files), '/p/project.yaml': `${head('Project', 'p')}  {}\n`, '/p/all.yaml': deployment });
  return (await loadModule('/p/all.yaml', { fs })).deployment;
}

const waits = (problems: readonly Diagnostic[]): Diagnostic[] =>
  problems.filter(({ hint }) => hint?.startsWith('Set what others') === true);
const verdict = (deployment: ResolvedDeployment, planned = false): string =>
  waits(checkWiring(deployment, planned ? planRun(deployment) : undefined).problems)
    .map(({ severity }) => severity)
    .join() || 'nothing';

const parameters = '{ ready: { output: true }, go: { output: true }, peer: { }, free: { } }';
const across =
  '{ left: { image: ./left, parameters: { peer: { from: "right:ready" } } }, right: { image: ./right, parameters: { peer: { from: "left:ready" } } } }';
/** Waits for the other one before it says that it is ready. */
const polite = '#!/bin/sh -e\nss-get peer\nss-set ready true';
const pair = async (left: string, right = polite, more = ''): Promise<ResolvedDeployment> =>
  system({ left: image('left', parameters, left), right: image('right', parameters, right) }, across, more);

test('who waits for whom, in words', async () => {
  const script = '#!/bin/sh\nset -e\nss-get peer\nss-set ready true';
  expect(
    checkWiring(await pair(script, script))
      .problems.map(formatDiagnostic)
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "left/image.yaml:10:7: error: left and right wait for each other: the run can never go on.
      left waits here for right:ready, which right sets (right/image.yaml:11) only after it has got left:ready (right/image.yaml:10)
      right waits at right/image.yaml:10 for left:ready, which left sets (left/image.yaml:11) only after it has got right:ready (left/image.yaml:10)
       10 |       ss-get peer
          |       ^^^^^^^^^^^
      Set what others wait for before waiting for them."
  `);
});

test('a machine that waits for itself, in words', async () => {
  const deployment = await system(
    { left: image('left', parameters, '#!/bin/sh -e\nss-get go\nss-set go 1') },
    '{ left: { image: ./left } }',
  );
  expect(checkWiring(deployment).problems.map(formatDiagnostic).join('\n')).toMatchInlineSnapshot(`
    "left/image.yaml:9:7: error: left waits for itself: the run can never go on.
      left waits here for left:go, which it sets only after that (left/image.yaml:10)
        9 |       ss-get go
          |       ^^^^^^^^^
      Set what others wait for before waiting for them."
  `);
});

test('a wait that ends by its timeout, in words', async () => {
  const script = '#!/bin/sh\nss-get peer\nss-set ready true';
  expect(
    checkWiring(await pair(script, script))
      .problems.map(formatDiagnostic)
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "left/image.yaml:9:7: warning: left and right wait for each other until a timeout, and then go on without the value.
      left waits here for right:ready, which right sets (right/image.yaml:10) only after it has got left:ready (right/image.yaml:9)
      right waits at right/image.yaml:9 for left:ready, which left sets (left/image.yaml:10) only after it has got right:ready (left/image.yaml:9)
        9 |       ss-get peer
          |       ^^^^^^^^^^^
      Set what others wait for before waiting for them."
  `);
});

test('somebody outside may help, in words', async () => {
  expect(
    checkWiring(await pair(polite, polite, '  onStall: wait\n'))
      .problems.map(formatDiagnostic)
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "left/image.yaml:9:7: warning: left and right wait for each other: only somebody outside can help the run on.
      left waits here for right:ready, which right sets (right/image.yaml:10) only after it has got left:ready (right/image.yaml:9)
      right waits at right/image.yaml:9 for left:ready, which left sets (left/image.yaml:10) only after it has got right:ready (left/image.yaml:9)
        9 |       ss-get peer
          |       ^^^^^^^^^^^
      Set what others wait for before waiting for them."
  `);
});

const wait = 'ss-get peer';
const set = 'ss-set ready true';
test.each([
  ['in its simplest form', [wait, set]],
  ['with a long timeout', ['ss-get --timeout 600 peer', set]],
  ['with an abbreviated option', ['ss-get --time=600 peer', set]],
  ['of the other node directly', ['ss-get right:ready', set]],
  ['of the first machine of the other node', ['ss-get right.1:ready', set]],
  ['of all machines of the other node', ['ss-get-all --timeout 0 right ready', set]],
  ['of a certain value of all machines', ['ss-get-all --value true right ready', set]],
  ['with ss-wait', ['ss-wait peer true', set]],
  ['for ever, without -e', ['set +e', 'ss-get --timeout 0 peer', set]],
  ['with -e by another name', ['set +e', 'set -uo errexit', wait, set]],
  ['in an assignment', ['x=$(ss-get peer)', set]],
  ['in a pipeline that fails with its parts', ['set -o pipefail', 'x=$(ss-get peer | tr -d x)', set]],
  ['in a pipeline, for ever', ['ss-get --timeout 0 peer | tee peer', set]],
  ['by sudo', ['sudo -u root ss-get peer', set]],
  ['in braces, with the output in a file', ['{ ss-get peer; } > log 2>&1', set]],
  ['with words before the end', ['ss-get peer || { echo "no peer" >&2; exit 1; }', set]],
  ['with an abort', ['set +e', 'ss-get peer || ss-abort "no peer"', set]],
  ['before a set in a branch', [wait, `if true; then ${set}; fi`]],
  ['before a set in the background', [wait, `${set} &`]],
  ['before a set by a function', [`up() { ${set}; }`, wait, 'up']],
  ['before a set by a program', [wait, './setup.sh', set]],
  ['before ss-random', [wait, 'ss-random ready']],
  ['after others', ['ss-get hostname', 'ss-get right:hostname', 'ss-set go 1', 'ss-set statecustom x', wait, set]],
  ['after a function that has nothing to do with it', ['log() { echo "$@"; }', 'log hello', wait, set]],
  ['after a branch that fails', ['[ -e /x ] || exit 1', wait, set]],
  ['after a set of something else by a program text', ['cat > x.sh <<EOF\nss-set go 1\nEOF', wait, set]],
  ['after words about a set', ['echo "next: ss-set ready true"', '# ss-set ready true', wait, set]],
])('certain: a wait %s', async (_, lines) => {
  expect(verdict(await pair(['#!/bin/bash -e', ...lines].join('\n')))).toBe('error');
});

test.each([
  ['without -e: it goes on when the time is over', ['set +e', wait, set]],
  ['whose failure is lost in a word', [`echo "$(${wait})"`, set]],
  ['whose failure is lost in an export', [`export x="$(${wait})"`, set]],
  ['whose failure is lost in a pipeline', [`${wait} | cat`, set]],
  ['whose failure is lost before another substitution', [`x=$(${wait})$(date)`, set]],
  ['whose failure is lost within a substitution', [`x=$(${wait}; date)`, set]],
  ['whose failure is lost before &&', [`${wait} && echo there`, set]],
  ['of all machines, which takes what there is in the end', ['ss-get-all right ready', set]],
  ['with a short timeout', ['ss-get --timeout 5 peer', set]],
  ['with a timeout that is not known', ['ss-get --timeout $T peer', set]],
  ['below timeout', ['timeout 10 ss-get peer', set]],
  ['in a branch', [`if [ -e /x ]; then ${wait}; fi`, set]],
  ['in a short branch', [`[ -e /x ] && ${wait}`, set]],
  ['in one of several branches', [`case $1 in a) ${wait} ;; esac`, set]],
  ['in a loop', [`for i in 1 2; do ${wait}; done`, set]],
  ['in an endless loop', [`while true; do ${wait}; done`, set]],
  ['in a function', [`wait_for() { ss-get "$1"; }`, 'wait_for peer', set]],
  ['in a subshell', [`(${wait})`, set]],
  ['in another shell', [`bash -c '${wait}'`, set]],
  ['in a process substitution', [`cat <(${wait})`, set]],
  ['that some shells do in the background', [`${wait} &> log`, set]],
  ['when another value is missing', [`x=\${y:-$(${wait})}`, set]],
  ['after the script may have ended', ['[ -e /x ] && exit 0', wait, set]],
  ['after the script may have ended by its last command', ['[ -e /x ] && exec sleep 1', wait, set]],
  ['with a trap', ['trap "rm -f tmp" EXIT', wait, set]],
  ['that somebody may stop', ['(sleep 9; pkill ss-get) &', wait, set]],
  ['after a program that may set it', ['./setup.sh', wait, set]],
  ['after a program of an unknown name', ['"$APP/bin/setup"', wait, set]],
  ['after a program in another language', ['python3 setup.py', wait, set]],
  ['after a program on another machine', ['ssh right ./setup.sh', wait, set]],
  ['after something that is only known later', ['eval "$(setup)"', wait, set]],
])('uncertain: a wait %s', async (_, lines) => {
  expect(verdict(await pair(['#!/bin/bash -e', ...lines].join('\n')))).toBe('warning');
});

test.each([
  ['a set before it', [set, wait]],
  ['a set before it in a branch', [`if [ -e /x ]; then ${set}; fi`, wait, set]],
  ['a set before it in a function', [`up() { ${set}; }`, 'up', wait]],
  ['a set before it in one of two functions of the same name', [`up() { ${set}; }`, 'up', 'up() { :; }', wait, set]],
  ['a set before it in the background', [`(sleep 5; ${set}) &`, wait, set]],
  ['a set before it in a shell', [`bash -c '${set}'`, wait, set]],
  ['a set before it in a function in a shell', [`up() { ${set}; }`, 'export -f up', "bash -c 'up'", wait, set]],
  ['a set before it by sudo of another name', [`$SUDO ${set}`, wait, set]],
  ['a set before it by a command that repeats it', [`retry 5 ${set}`, wait, set]],
  ['a set before it by a function that repeats it', ['retry() { n=$1; shift; "$@"; }', `retry 5 ${set}`, wait, set]],
  ['a set before it of a name that is not known', ['ss-set "$name" 1', wait, set]],
  ['a set before it of names from elsewhere', ['names | xargs -I{} ss-set {} 1', wait, set]],
  ['a set before it by a variable', ['SET=ss-set', '$SET ready 1', wait, set]],
  ['a set before it by an alias', ['alias put=ss-set', 'put ready 1', wait, set]],
  ['a set before it by a text', [`eval "ss-set $key 1"`, wait, set]],
  ['a set before it in another language', [`python3 -c 'import os; os.system("ss-set ready 1")'`, wait, set]],
  ['a set before it in another language, below', ["python3 <<'EOF'", 'run(["ss-set", "ready", "1"])', 'EOF', wait, set]],
  ['a script before it that may set it later', ["cat > later.sh <<'EOF'", set, 'EOF', 'at now -f later.sh', wait, set]],
  ['a script before it, made by echo', [`echo '${set}' > later.sh`, wait, set]],
  ['a script before it, on its way to another program', [`echo '${set}' | at now`, wait, set]],
  ['a trap before it', [`trap '${set}' EXIT`, wait, set]],
  ['a trap before it that calls a function', [`up() { ${set}; }`, 'trap up EXIT', wait, set]],
  ['a file of others before it', ['. ./lib.sh', wait, set]],
  ['a command for another machine', [`ssh right "${set}"`, wait, set]],
  ['a command for another machine, word by word', [`ssh right ${set}`, wait, set]],
  ['a failure that does not matter', [`${wait} || true`, set]],
  ['a failure that is looked at', [`if ${wait}; then echo there; fi`, set]],
  ['a failure that is looked at, in an assignment', [`if ! x=$(${wait}); then x=none; fi`, set]],
  ['a failure that may end the script well', [`${wait} || exit 0`, set]],
  ['a failure that a function handles', ['die() { exit 0; }', `${wait} || die`, set]],
  ['a loop until it is there', [`until ${wait}; do sleep 1; done`, set]],
  ['a get that does not wait', ['ss-get --noblock peer', set]],
  ['a get that does not wait, abbreviated', ['ss-get --nob peer', set]],
  ['a get in the background', [`${wait} &`, set]],
  ['a get in the background, for what comes after it', ['(ss-get ready; ss-set go 1) &', set, 'ss-get go', wait]],
  ['a get in a comment', [`# ${wait}`, set]],
  ['a get in words', [`echo "${wait}"`, `ss-display '${wait}'`, set]],
  ['a get in a text for later', ["cat > later.sh <<'EOF'", wait, 'EOF', set]],
  ['a get in a function that is never called', [`later() { ${wait}; }`, set]],
  ['a get in a file with a mistake', [wait, set, 'if true; then']],
  ['a get of what has a value', ['ss-get right:hostname', 'ss-get right:ids', set]],
  ['help', ['ss-get --help', set]],
])('no alarm: %s', async (_, lines) => {
  expect(verdict(await pair(['#!/bin/bash -e', ...lines].join('\n')))).toBe('nothing');
});

test.each([
  ['a script in another language', '#!/usr/bin/env python3\nimport os\nos.system("ss-set ready 1")', 'nothing'],
  ['a script in another language that does not look like it', '#!/usr/bin/env python3\nimport helper', 'warning'],
])('%s', async (_, script, expected) => {
  const early = image('left', parameters, polite).replace(
    '  scripts:\n',
    `  scripts:\n    preInstall: |\n${script.replaceAll(/^/gm, '      ')}\n`,
  );
  expect(verdict(await system({ left: early, right: image('right', parameters, polite) }, across))).toBe(expected);
});

test('the values that are there from the start', async () => {
  const given = parameters.replace('ready: { output: true }', 'ready: { output: true, default: soon }');
  const images = { left: image('left', given, polite), right: image('right', parameters, polite) };
  expect(verdict(await system(images, across))).toBe('nothing');
  const nodes = across.replace('{ from: "left:ready" }', 'true');
  expect(verdict(await system({ ...images, left: image('left', parameters, polite) }, nodes))).toBe('nothing');
});

test('a value that may be given when the run starts', async () => {
  const script = '#!/bin/sh -e\nss-get free\nss-set free 1';
  const deployment = await system({ left: image('left', parameters, script) }, '{ left: { image: ./left } }');
  expect(verdict(deployment)).toBe('warning');
  expect(verdict(deployment, true)).toBe('error');
  const plan = planRun(deployment, { parameters: { 'left:free': 'yes' } });
  expect(waits(checkWiring(deployment, plan).problems)).toEqual([]);
});

const worker = (script: string): Record<string, string> => ({ worker: image('worker', parameters, `#!/bin/sh -e\n${script}`) });
const workers = (count: number | string, more = ''): string => `{ worker: { image: ./worker, multiplicity: ${count} }${more} }`;

test.each([
  ['one for the second', 'ss-get worker.2:ready\nss-set ready 1', 2, 'error'],
  ['one for the second of many', 'ss-get worker.2:ready\nss-set ready 1', 1000, 'error'],
  ['one for a late one of many', 'ss-get worker.900:ready\nss-set ready 1', 1000, 'error'],
  ['one for the second, which is not there', 'ss-get worker.2:ready\nss-set ready 1', 1, 'nothing'],
  ['one for the first', 'ss-get worker:ready\nss-set ready 1', 3, 'error'],
  ['all for all', 'ss-get-all --timeout 0 worker ready\nss-set ready 1', 3, 'error'],
  ['all for all, when there is but one', 'ss-get-all --timeout 0 worker ready\nss-set ready 1', 1, 'error'],
  ['all for all, when there is none', 'ss-get-all --timeout 0 worker ready\nss-set ready 1', 0, 'nothing'],
  ['all for all, in the right order', 'ss-set ready 1\nss-get-all --timeout 0 worker ready', 3, 'nothing'],
  ['each in two steps', 'ss-set ready 1\nss-get-all --timeout 0 worker go\nss-get-all --timeout 0 worker ready\nss-set go 1', 3, 'error'],
  ['all through the run', 'ss-get ss:token\nss-set ss:token 1', 2, 'error'],
])('machines of one node that wait for each other: %s', async (_, script, count, expected) => {
  const deployment = await system(worker(script), workers(count), '  parameters: { token: { output: true } }\n');
  expect(verdict(deployment)).toBe(expected);
  expect(verdict(deployment, true)).toBe(expected);
});

test('a node of which there may be none', async () => {
  const script = 'ss-get-all --timeout 0 worker ready\nss-set ready 1';
  const deployment = await system(
    { ...worker(script), one: image('one', parameters, '#!/bin/sh') },
    workers('"${{ parameters.n }}"', ', one: { image: ./one }'),
    '  parameters: { n: { type: integer, default: 2 } }\n',
  );
  expect(verdict(deployment)).toBe('warning');
  expect(verdict(deployment, true)).toBe('error');
  expect(waits(checkWiring(deployment, planRun(deployment, { parameters: { n: '0' } })).problems)).toEqual([]);
});

test('a node of which there is one at least', async () => {
  const deployment = await system(
    worker('ss-get worker:ready\nss-set ready 1'),
    workers('"${{ parameters.n }}"'),
    '  parameters: { n: { type: integer, default: 2, minimum: 1 } }\n',
  );
  expect(verdict(deployment)).toBe('error');
});

test('several nodes of one image', async () => {
  const nodes = (b: string): string =>
    `{ a: { image: ./worker, parameters: { peer: { from: "b:ready" } } }, b: { image: ./worker, parameters: { peer: ${b} } } }`;
  const script = 'ss-get peer\nss-set ready 1';
  expect(verdict(await system(worker(script), nodes('{ from: "a:ready" }')))).toBe('error');
  expect(verdict(await system(worker(script), nodes('go')))).toBe('nothing');
});

test('a value that follows that of another machine than the first', async () => {
  const nodes = (from: string): string =>
    `{ worker: { image: ./worker, multiplicity: 9 }, late: { image: ./late, parameters: { peer: { from: "${from}" } } } }`;
  const images = { ...worker('ss-set ready 1'), late: image('late', parameters, '#!/bin/sh -e\nss-get peer') };
  expect(checkWiring(await system(images, nodes('worker.7:ready'))).problems).toEqual([]);
});

test('a circle over many nodes, mappings, globals and layers', async () => {
  const base = `${head('Image', 'base')}  parameters: { in: { }, first: { output: true } }\n  scripts:\n    deploy: |\n      #!/bin/sh -e\n      ss-get in\n      ss-set first 1\n`;
  const deployment = await system(
    {
      base,
      a: image('a', '{ x: { output: true } }', '#!/bin/sh -e\nss-set x 1', '  extends: ../base\n'),
      b: image('b', parameters, '#!/bin/sh -e\nss-get peer\nss-set ss:token 1'),
      c: image('c', parameters, '#!/bin/sh -e\nss-wait ss:token\nss-set ready 1'),
      relay: image('relay', parameters, '#!/bin/sh'),
    },
    '{ a: { image: ./a, parameters: { in: { from: "relay:peer" } } }, relay: { image: ./relay, parameters: { peer: { from: "c:ready" } } }, b: { image: ./b, parameters: { peer: { from: "a:first" } } }, c: { image: ./c } }',
    '  parameters: { token: { output: true } }\n',
  );
  expect(checkWiring(deployment).problems.map(formatDiagnostic).join('\n')).toMatchInlineSnapshot(`
    "base/image.yaml:9:7: error: a, c and b wait for each other: the run can never go on.
      a waits here for c:ready, which c sets (c/image.yaml:10) only after it has got ss:token (c/image.yaml:9)
      c waits at c/image.yaml:9 for ss:token, which b sets (b/image.yaml:10) only after it has got a:first (b/image.yaml:9)
      b waits at b/image.yaml:9 for a:first, which a sets (base/image.yaml:10) only after it has got c:ready (base/image.yaml:9)
        9 |       ss-get in
          |       ^^^^^^^^^
      Set what others wait for before waiting for them."
  `);
});

test('the address of the service, which every run has and scripts set', async () => {
  const deployment = await pair(
    '#!/bin/sh -e\nss-get ss:url.service\nss-set url.service here',
    '#!/bin/sh -e\nss-get left:url.service\nss-set ss:url.service there',
  );
  expect(verdict(deployment)).toBe('error');
});

test.each(['batch-cluster', 'client-server', 'scripts-fail'])('the example %s has no findings', async (name) => {
  const folder = fileURLToPath(new URL(`../../../../examples/${name}`, import.meta.url));
  const { deployment } = await loadModule(folder, { fs: diskFiles() });
  expect(checkWiring(deployment).problems).toEqual([]);
  expect(checkWiring(deployment, planRun(deployment)).problems).toEqual([]);
});

test('as many nodes as there may be, each waiting for the next', async () => {
  const count = 256;
  const script = '#!/bin/sh -e\nss-get peer\nss-set ready 1';
  const chain = (last: string): string =>
    `{ ${Array.from({ length: count }, (_, at) => `n${at}: { image: ./left, parameters: { peer: ${at === count - 1 ? last : `{ from: "n${at + 1}:ready" }`} } }`).join(', ')} }`;
  const images = { left: image('left', parameters, script) };
  const [free, stuck] = await Promise.all([system(images, chain('go')), system(images, chain('{ from: "n0:ready" }'))]);
  const check = (): void => {
    expect(verdict(free)).toBe('nothing');
    expect(verdict(stuck)).toBe('error');
  };
  expect(cpuTimeOf(check)).toBeLessThan(4000);
});
