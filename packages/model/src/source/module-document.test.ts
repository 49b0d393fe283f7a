import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from './decode.ts';
import { formatDiagnostic } from './diagnostic.ts';
import { parseModules } from './module-document.ts';
import { sourceText } from './source-text.ts';
import { cpuTimeOf } from '../testing/cpu-time.ts';

const image = (spec: string): string => `apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: apache }\nspec:\n${spec}`;
const deployment = (spec: string): string => `apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: web }\nspec:\n${spec}`;
const problems = (text: string): string => parseModules(sourceText('web.yaml', text)).problems.map(formatDiagnostic).join('\n\n');

test('a valid file of several documents', () => {
  const text = `# an image and its use\n${image('  packages: [apache2]\n')}---\n${deployment('  nodes:\n    apache: { image: "#apache" }\n')}---\n`;
  const { documents, problems } = parseModules(sourceText('web.yaml', text));
  expect(problems).toEqual([]);
  expect(documents.map(({ kind }) => kind)).toEqual(['Image', 'Deployment']);
});

test('a tab as indentation', () => {
  expect(problems(image('\tpackages: []\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:1: error: A tab cannot indent YAML.
        5 | →packages: []
          | ^
      Use spaces."
  `);
});

test('a duplicate key', () => {
  expect(problems(image('  packages: []\n  packages: [git]\n'))).toMatchInlineSnapshot(`
    "web.yaml:6:3: error: The key \`packages\` is written twice.
        6 |   packages: [git]
          |   ^^^^^^^^
      Keep one of them."
  `);
});

test('an unknown key with a close spelling', () => {
  expect(problems(deployment('  nodes:\n    web:\n      image: ./web\n      multiplicty: 3\n'))).toMatchInlineSnapshot(`
    "web.yaml:8:7: error: There is no \`multiplicty\` in \`spec.nodes.web\`.
        8 |       multiplicty: 3
          |       ^^^^^^^^^^^
      Did you mean \`multiplicity\`?"
  `);
});

test('unknown keys without one, and a key in the wrong place', () => {
  expect(problems(`${image('  colour: red\n')}timeout: 3\npackages: [git]\n`)).toMatchInlineSnapshot(`
    "web.yaml:5:3: error: There is no \`colour\` in \`spec\`.
        5 |   colour: red
          |   ^^^^^^
      There are: extends, resources, clouds, parameters, packages, ports, scripts.

    web.yaml:6:1: error: There is no \`timeout\` at the top of the file.
        6 | timeout: 3
          | ^^^^^^^
      There are: apiVersion, kind, metadata, spec.

    web.yaml:7:1: error: There is no \`packages\` at the top of the file.
        7 | packages: [git]
          | ^^^^^^^^
      \`packages\` belongs under \`spec:\`."
  `);
});

test('wrong types', () => {
  expect(
    problems(
      deployment(`  timeout: 30
  onStall: waits
  nodes:
    web: { image: [a], multiplicity: many, maxProvisioningFailures: -1, parameters: { a: [1], b: { vale: 3 }, c: { from: } } }
    db: ./db
    cache: { image: ./cache, multiplicity: 1.5 }
`),
    ),
  ).toMatchInlineSnapshot(`
    "web.yaml:5:12: error: \`timeout\` must be text, not 30.
        5 |   timeout: 30
          |            ^^
      For example: 30m

    web.yaml:6:12: error: \`onStall\` must be one of abort, wait, not "waits".
        6 |   onStall: waits
          |            ^^^^^
      Did you mean \`wait\`?

    web.yaml:8:12: error: \`image\` must be text, not a list.
        8 |     web: { image: [a], multiplicity: many, maxProvisioningFailures: -1, parameters: { a: [1], b: { v…
          |            ^^^^^
      For example: ./apache/image.yaml

    web.yaml:8:38: error: \`multiplicity\` is not a number or an expression: "many".
        8 |     web: { image: [a], multiplicity: many, maxProvisioningFailures: -1, parameters: { a: [1], b: { v…
          |                                      ^^^^
      For example: \${{ parameters.clients }}

    web.yaml:8:69: error: \`maxProvisioningFailures\` must be at least 0, not -1.
        8 |     web: { image: [a], multiplicity: many, maxProvisioningFailures: -1, parameters: { a: [1], b: { v…
          |                                                                     ^^

    web.yaml:8:87: error: \`a\` must be text, a number, true or false or a map, not a list.
        8 | …ProvisioningFailures: -1, parameters: { a: [1], b: { vale: 3 }, c: { from: } } }
          |                                          ^

    web.yaml:8:100: error: There is no \`vale\` in \`spec.nodes.web.parameters.b\`.
        8 | …ailures: -1, parameters: { a: [1], b: { vale: 3 }, c: { from: } } }
          |                                          ^^^^
      Did you mean \`value\`?

    web.yaml:8:116: error: \`from\` is empty; it must be text.
        8 | …ameters: { a: [1], b: { vale: 3 }, c: { from: } } }
          |                                          ^^^^
      For example: apache:hostname

    web.yaml:9:9: error: \`db\` must be a map, not "./db".
        9 |     db: ./db
          |         ^^^^

    web.yaml:10:44: error: \`multiplicity\` must be a whole number or text, not 1.5.
       10 |     cache: { image: ./cache, multiplicity: 1.5 }
          |                                            ^^^
      For example: \${{ parameters.clients }}"
  `);
});

test('missing things', () => {
  expect(problems('apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: {}\nspec:\n  nodes:\n    web: {}\n')).toMatchInlineSnapshot(`
    "web.yaml:3:1: error: \`name\` is missing.
        3 | metadata: {}
          | ^^^^^^^^
      For example: apache

    web.yaml:6:5: error: \`image\` is missing.
        6 |     web: {}
          |     ^^^
      For example: ./apache/image.yaml"
  `);
  expect(problems(deployment('  nodes: {}\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:3: error: \`nodes\` needs at least one node.
        5 |   nodes: {}
          |   ^^^^^"
  `);
  expect(problems(image('  packages:\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:3: error: \`packages\` is empty; it must be a list.
        5 |   packages:
          |   ^^^^^^^^"
  `);
});

test('wrong names', () => {
  expect(problems(deployment('  nodes:\n    my-node: { image: ./a }\n    orchestrator: { image: ./a }\n'))).toMatchInlineSnapshot(`
    "web.yaml:6:5: error: \`my-node\` is not a node name.
        6 |     my-node: { image: ./a }
          |     ^^^^^^^
      Letters, digits and \`_\`; not \`ss\`, \`machine\` or a word beginning with \`orchestrator\`.

    web.yaml:7:5: error: \`orchestrator\` is not a node name.
        7 |     orchestrator: { image: ./a }
          |     ^^^^^^^^^^^^
      Letters, digits and \`_\`; not \`ss\`, \`machine\` or a word beginning with \`orchestrator\`."
  `);
  expect(problems(image('  packages: ["-o", "a b"]\n  parameters:\n    a:b: 1\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:14: error: An item of \`packages\` is not the name of a package: "-o".
        5 |   packages: ["-o", "a b"]
          |              ^^^^

    web.yaml:5:20: error: An item of \`packages\` is not the name of a package: "a b".
        5 |   packages: ["-o", "a b"]
          |                    ^^^^^

    web.yaml:7:5: error: \`a:b\` is not a parameter name.
        7 |     a:b: 1
          |     ^^^
      Letters, digits and \`_\`, after the first also \`.\` and \`-\`."
  `);
  expect(problems(image('  parameters:\n    __proto__: 2\n'))).toMatchInlineSnapshot(`
    "web.yaml:6:5: error: \`__proto__\` cannot be a name.
        6 |     __proto__: 2
          |     ^^^^^^^^^"
  `);
});

test('bad sizes and durations', () => {
  expect(problems(image('  resources: { memory: 1G, disk: 10 }\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:24: error: \`memory\` is not a size: "1G".
        5 |   resources: { memory: 1G, disk: 10 }
          |                        ^^
      Did you mean 1GiB?

    web.yaml:5:34: error: \`disk\` must be text, not 10.
        5 |   resources: { memory: 1G, disk: 10 }
          |                                  ^^
      For example: 2GiB"
  `);
  expect(problems(deployment('  lifetime: four hours\n  nodes: { a: { image: b } }\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:13: error: \`lifetime\` is not a duration: "four hours".
        5 |   lifetime: four hours
          |             ^^^^^^^^^^
      For example: 30m"
  `);
});

test('an unknown kind or version', () => {
  expect(problems(image('  packages: []\n').replace('Image', 'Imagge').replace('v1', 'v2'))).toMatchInlineSnapshot(`
    "web.yaml:1:13: error: This \`apiVersion\` is not known: "paceline.dev/v2".
        1 | apiVersion: paceline.dev/v2
          |             ^^^^^^^^^^^^^^^
      Write \`apiVersion: paceline.dev/v1\`.

    web.yaml:2:7: error: There is no kind "Imagge".
        2 | kind: Imagge
          |       ^^^^^^
      Did you mean \`Image\`?"
  `);
  expect(problems('kind: [Image]\n')).toMatchInlineSnapshot(`
    "web.yaml:1:1: error: \`apiVersion\` is missing.
        1 | kind: [Image]
          | ^^^^
      Write \`apiVersion: paceline.dev/v1\`.

    web.yaml:1:1: error: \`kind\` must be one of Image, Deployment, Project, not a list.
        1 | kind: [Image]
          | ^^^^"
  `);
  expect(problems('- a\n- b\n')).toMatchInlineSnapshot(`
    "web.yaml:1:1: error: A module is a map that begins with \`apiVersion: paceline.dev/v1\`, not a list.
        1 | - a
          | ^"
  `);
});

test('an empty file', () => {
  expect(problems('')).toMatchInlineSnapshot(`
    "web.yaml:1:1: error: The file is empty.
        1 | 
          | ^
      It should begin with \`apiVersion: paceline.dev/v1\` and \`kind:\`. \`paceline init\` writes an example."
  `);
  expect(problems('# only a comment\n---\n')).toMatch(/The file is empty/);
});

test('text that is not YAML', () => {
  expect(problems(image('  scripts: { deploy: "a\n'))).toMatchInlineSnapshot(`
    "web.yaml:6:1: error: A quoted text has no closing quote.
        6 | 
          | ^"
  `);
  expect(problems(image('  description: here: there\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:16: error: A value cannot hold another \`key: value\` on the same line.
        5 |   description: here: there
          |                ^
      Quote a text that contains \`: \`, or put the map on its own lines."
  `);
  expect(problems(image('  extends: @scope/name\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:12: error: A text cannot start with this character unless it is quoted.
        5 |   extends: @scope/name
          |            ^
      Quote it."
  `);
  expect(problems(image('  extends: *base\n'))).toMatchInlineSnapshot(`
    "web.yaml:5:12: error: There is no anchor \`&base\` before this alias.
        5 |   extends: *base
          |            ^^^^^
      Quote a text that begins with \`*\`."
  `);
});

test('an alias bomb', () => {
  const levels = 'bcdefghi'.split('').map((name, i) => `  ${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]\n`);
  expect(problems(image(`  a: &a [x, x]\n${levels.join('')}`))).toMatchInlineSnapshot(`
    "web.yaml:6:10: error: The aliases expand to far too much.
        6 |   b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
          |          ^^
      Write the values out."
  `);
  expect(problems(image(`  a: &a x\n  b: [${Array(200).fill('*a').join(', ')}]\n`))).toMatch(/more than 100 aliases/);
  expect(problems(image('  a: &a [*a]\n'))).toMatch(/contains itself/);
});

test.each([
  ['lists', '['.repeat(50_000)],
  ['maps', '{a: '.repeat(10_000)],
  ['blocks', '- '.repeat(10_000)],
  ['keys', image(Array.from({ length: 10_000 }, (_, i) => `  k${i}: 1\n`).join(''))],
  ['documents', '---\na: 1\n'.repeat(10_000)],
])('%s without end are refused in time', (_, text) => {
  const parse = (): void => expect(parseModules(sourceText('web.yaml', text)).problems[0]?.severity).toBe('error');
  expect(cpuTimeOf(parse)).toBeLessThan(6000);
});

test('a very long line is shown around the place, control characters are made visible', () => {
  expect(problems(image(`  packages: [${'a'.repeat(300)}, {}, ${'b'.repeat(300)}]\n`))).toMatchInlineSnapshot(`
    "web.yaml:5:316: error: An item of \`packages\` must be text, not a map.
        5 | …aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, {}, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…
          |                                          ^^"
  `);
  const shown = problems(image('  colour: "\u001b[31mred\u202e"\n'));
  expect(['\u001b', '\u202e'].some((hidden) => shown.includes(hidden))).toBe(false);
});

test('a byte order mark is no problem, other encodings are', () => {
  const text = image('  packages: []\n');
  const marked = decode('a.yaml', new TextEncoder().encode(`\ufeff${text}`));
  expect('source' in marked && marked.source.text).toBe(text);
  const latin = decode('a.yaml', Buffer.from('apiVersion: x\ntitle: caf\xe9\n', 'latin1'));
  expect('problem' in latin && formatDiagnostic(latin.problem)).toMatchInlineSnapshot(`
    "a.yaml:2:11: error: The file is not UTF-8 text.
        2 | title: caf�
          |           ^
      Save it again as UTF-8."
  `);
  const wide = decode('a.yaml', Buffer.from('\ufeffapiVersion: x\n', 'utf16le'));
  expect('problem' in wide && wide.problem.message).toBe('The file is UTF-16, not UTF-8.');
});

const valid = `${image('  packages: [a, b]\n  parameters: { port: { type: integer, default: 8080 }, x: }\n  scripts: { deploy: a.sh }\n')}---\n${deployment('  nodes:\n    a: { image: b, multiplicity: "${{ parameters.n }}", parameters: { p: { from: "b:c" } } }\n')}`;
const piece = fc.constantFrom(
  '\t',
  '\n',
  '  ',
  ': ',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '&a ',
  '*a',
  '#',
  '|\n',
  '!!map ',
  '? ',
  '---\n',
  '%',
  '\u0000',
  '\ud800',
  'null',
  '1e999',
  '__proto__',
  'constructor: 1\n',
  '<<: *a\n',
);

test('no text crashes the reader', () => {
  const never = (text: string): void => {
    for (const { line, column, message } of parseModules(sourceText('a.yaml', text)).problems) {
      expect(line).toBeGreaterThan(0);
      expect(column).toBeGreaterThan(0);
      expect(message).not.toMatch(/undefined|\[object/);
    }
  };
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({ unit: 'binary' }),
        fc.array(piece).map((parts) => parts.join('')),
      ),
      never,
    ),
  );
  fc.assert(
    fc.property(fc.nat(valid.length), fc.nat(20), fc.array(piece, { maxLength: 3 }), (at, cut, parts) =>
      never(valid.slice(0, at) + parts.join('') + valid.slice(at + cut)),
    ),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.json(), (json) => never(`{"apiVersion":"paceline.dev/v1","kind":"Deployment","metadata":{"name":"a"},"spec":${json}}`)),
  );
});
