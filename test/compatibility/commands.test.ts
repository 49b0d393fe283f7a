import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentOf, type TestNode } from '../support/recipes.ts';
import { System, type SystemRun } from '../support/system.ts';
import { expectTranscript, nodeOf, type Line } from './transcript.ts';

// The contract of SlipStream's commands, as recipes relied on it (reference 1.2, 1.3, 1.5 and 9.3). Differences that are meant
// are in `differences.test.ts`.

const usage = (text: string): RegExp => new RegExp(`Usage: ${text}[\\s\\S]*error: `);
const timedOut = (key: string, seconds: number): RegExp =>
  new RegExp(`^Waiting for ${key}\\n[\\s\\S]*Exceeded timeout limit of ${seconds} waiting for key '${key}' to be set\\n$`);

/** By node; each is one machine with one recipe. */
const recipes: Record<string, { lines: Line[]; node?: TestNode }> = {
  get: {
    node: {
      parameters: { plain: 'hello', unset: {}, 'with.dots-and-dashes': 'fine', later: {} },
    },
    lines: [
      { run: 'ss-get plain', out: 'hello\n' },
      { run: 'ss-get --timeout 5 plain', out: 'hello\n' },
      { run: 'ss-get --timeout=5 plain', out: 'hello\n' },
      { run: 'ss-get plain --timeout 5', out: 'hello\n' },
      { run: 'ss-get --timeout 0 plain', out: 'hello\n' },
      { run: 'ss-get --noblock plain', out: 'hello\n' },
      { run: 'ss-get --ignore-abort plain', out: 'hello\n' },
      { run: 'ss-get -v plain', out: 'hello\n' },
      { run: 'ss-get --run "$SLIPSTREAM_DIID" --endpoint https://nuv.la plain', out: 'hello\n' },
      { run: 'ss-get -- plain', out: 'hello\n' },
      { run: 'ss-get --noblock unset', out: '\n' },
      { run: 'ss-get --timeout 1 unset', rc: 9, err: timedOut('get\\.1:unset', 1), ms: [900, 2500] },
      { run: 'ss-get --timeout=1 get:unset', rc: 9, err: timedOut('get\\.1:unset', 1), ms: [900, 2500] },
      { run: 'ss-get', rc: 2, err: usage('ss-get') },
      { run: 'ss-get --nosuch plain', rc: 2, err: /no such option: --nosuch\n$/ },
      { run: 'ss-get -x plain', rc: 2, err: /no such option: -x\n$/ },
      { run: 'ss-get --timeout soon plain', rc: 2, err: /invalid integer value: 'soon'\n$/ },
      { run: 'ss-get --timeout', rc: 2, err: usage('ss-get') },
      { run: 'value=$(ss-get plain); echo "[$value]"', out: '[hello]\n' },
      {
        run: '(sleep 1; ss-set later now) & ss-get --timeout 30 later; wait',
        out: 'now\n',
        err: 'Waiting for get.1:later\n',
        ms: [900, 3000],
      },
      { run: 'ss-get later', out: 'now\n' },
    ],
  },
  keys: {
    node: { multiplicity: 2, parameters: { mine: {}, 'with.dots-and-dashes': 'fine', under_score: 'fine' } },
    lines: [
      { run: 'ss-get nodename', out: 'keys\n' },
      { run: 'ss-set mine "of $(ss-get id)"; ss-get "keys.$(ss-get id):mine"', out: /^of [12]\n$/ },
      { run: 'ss-get keys:mine', out: 'of 1\n', err: /^(Waiting for keys\.1:mine\n)?$/ },
      { run: 'ss-get keys.2:mine', out: 'of 2\n', err: /^(Waiting for keys\.2:mine\n)?$/ },
      { run: 'ss-get ids', out: '1,2\n' },
      { run: 'ss-get multiplicity', out: '2\n' },
      { run: 'ss-get keys:ids', out: '1,2\n' },
      { run: 'ss-get member:multiplicity', out: '3\n' },
      { run: 'for id in $(ss-get member:ids | tr "," " "); do echo "member.$id"; done', out: 'member.1\nmember.2\nmember.3\n' },
      { run: 'ss-get with.dots-and-dashes', out: 'fine\n' },
      { run: 'ss-get keys.1:with.dots-and-dashes', out: 'fine\n' },
      { run: 'ss-get under_score', out: 'fine\n' },
      { run: 'ss-get ss:category', out: 'Deployment\n' },
      { run: 'ss-get ss:state', out: 'Executing\n' },
      { run: 'ss-get state', out: 'Executing\n' },
      { run: 'ss-get ss:abort', out: '\n' },
      { run: 'ss-get ss:complete', out: '\n' },
      { run: 'ss-get ss:recovery.mode', out: 'false\n' },
      { run: 'ss-get ss:groups', out: /(^|,)local:keys(,|\n)/ },
      { run: 'ss-get abort', out: '\n' },
      { run: 'ss-get complete', out: 'false\n' },
      { run: 'ss-get statecustom', out: '\n' },
      { run: 'ss-get is.orchestrator', out: 'false\n' },
      { run: 'ss-get cloudservice', out: 'local\n' },
      { run: 'ss-get hostname', out: /^127\.[\d.]+\n$/ },
      { run: 'ss-get member.3:hostname', out: /^127\.[\d.]+\n$/ },
      { run: 'ss-get instanceid', out: /^\S+\n$/ },
      { run: 'ss-get url.ssh', out: /^ssh:\/\/\S+\n$/ },
      { run: 'ss-get vmstate', out: /^\w+\n$/ },
      { run: 'ss-get scale.state', out: 'created\n' },
    ],
  },
  quotes: {
    node: {
      parameters: {
        double: '"in quotes"',
        single: "'in quotes'",
        both: `"'nested'"`,
        crossed: `'"nested"'`,
        inner: `a "b" 'c' d`,
        spaces: '  a  b  ',
        around: ' " x " ',
        lines: 'one\ntwo\n\nfour\n',
        utf8: 'Zürich žluťoučký 日本 🐎',
        shell: '$HOME `id` \\n & ; | * % + =',
      },
    },
    lines: [
      { run: 'ss-get double', out: 'in quotes\n' },
      { run: 'ss-get single', out: 'in quotes\n' },
      { run: 'ss-get both', out: 'nested\n' },
      { run: 'ss-get crossed', out: '"nested"\n' },
      { run: 'ss-get inner', out: `a "b" 'c' d\n` },
      { run: 'ss-get spaces', out: 'a  b\n' },
      { run: 'ss-get around', out: ' x \n' },
      { run: 'ss-get lines', out: 'one\ntwo\n\nfour\n' },
      { run: 'ss-get utf8', out: 'Zürich žluťoučký 日本 🐎\n' },
      { run: 'ss-get shell', out: '$HOME `id` \\n & ; | * % + =\n' },
      { run: 'ss-get utf8 | LC_ALL=C wc -c', out: /^\s*34\n$/ },
    ],
  },
  set: {
    node: { parameters: { a: {}, b: {}, quoted: {}, spaces: {}, 'with.dots-and-dashes': {} } },
    lines: [
      { run: 'ss-set a one' },
      { run: 'ss-get a', out: 'one\n' },
      { run: 'ss-set set:a two; ss-get set.1:a', out: 'two\n' },
      { run: 'ss-set set.1:a three; ss-get a', out: 'three\n' },
      { run: 'ss-set --ignore-abort a four; ss-get a', out: 'four\n' },
      { run: 'ss-set with.dots-and-dashes 1; ss-get with.dots-and-dashes', out: '1\n' },
      { run: 'ss-set', rc: 2, err: usage('ss-set') },
      { run: 'ss-set a', rc: 2, err: usage('ss-set') },
      { run: 'ss-set a b c', rc: 2, err: usage('ss-set') },
      { run: 'ss-set a -5', rc: 2, err: /no such option: -5\n$/ },
      { run: 'ss-set -- a -5; ss-get a', out: '-5\n' },
      { run: 'ss-set a -- --all; ss-get a', out: '--all\n' },
      { run: 'ss-set a ""; ss-get --noblock a', out: '\n' },
      { run: 'ss-set a x; ss-set a ""; ss-get --timeout 1 a', rc: 9, err: timedOut('set\\.1:a', 1) },
      { run: `ss-set quoted '"q"'; ss-get quoted`, out: 'q\n' },
      { run: 'ss-set spaces "  s  "; ss-get spaces', out: 's\n' },
      { run: `ss-set a "$(printf 'one\\ntwo\\n\\nfour')"; ss-get a`, out: 'one\ntwo\n\nfour\n' },
      { run: 'ss-set a "Zürich 日本 🐎"; ss-get a', out: 'Zürich 日本 🐎\n' },
      { run: `ss-set a '$HOME \`id\` \\n & ; | * %20 + ="'; ss-get a`, out: '$HOME `id` \\n & ; | * %20 + =\n' },
      { run: `ss-set a "$(printf '\\033[1mbold\\033[0m')"; ss-get a`, out: '[1mbold[0m\n' },
      { run: 'ss-set a "$(head -c 4096 /dev/zero | tr "\\0" x)"; ss-get a | wc -c', out: /^\s*4097\n$/ },
      { run: 'ss-set a 0; ss-get a', out: '0\n' },
      { run: 'ss-set ss:url.service http://example.org/; ss-get ss:url.service', out: 'http://example.org/\n' },
      { run: 'ss-set url.service http://example.org/; ss-get url.service', out: 'http://example.org/\n' },
    ],
  },
  display: {
    lines: [
      { run: 'ss-display "Doing it"' },
      { run: 'ss-get statecustom', out: 'Doing it\n' },
      { run: 'ss-display --ignore-abort "Still doing it"; ss-get statecustom', out: 'Still doing it\n' },
      { run: 'ss-display', rc: 2, err: usage('ss-display') },
      { run: 'ss-display two words', rc: 2, err: usage('ss-display') },
      { run: 'ss-display -- -dash; ss-get statecustom', out: '-dash\n' },
      { run: 'test -f "$(which ss-display)" && test -x "$(which ss-display)"' },
      { run: '$(which ss-display) "by its path"; ss-get display.1:statecustom', out: 'by its path\n' },
      { run: 'for name in get set abort cancel-abort display random get-all; do command -v ss-$name >/dev/null || echo $name; done' },
    ],
  },
  random: {
    node: { parameters: { password: {} } },
    lines: [
      { run: 'ss-random', out: /^[A-Za-z0-9]{12}\n$/ },
      { run: 'ss-random -s 20', out: /^[A-Za-z0-9]{20}\n$/ },
      { run: 'ss-random -s8', out: /^[A-Za-z0-9]{8}\n$/ },
      { run: 'ss-random --size 4', out: /^[A-Za-z0-9]{4}\n$/ },
      { run: 'ss-random --size=30', out: /^[A-Za-z0-9]{30}\n$/ },
      { run: 'ss-random password > printed; ss-get password | cmp - printed' },
      { run: 'test "$(ss-random)" != "$(ss-random)"' },
      { run: 'ss-random -s many', rc: 2, err: usage('ss-random') },
    ],
  },
  member: {
    node: { multiplicity: 3, parameters: { address: { output: true }, never: { output: true }, same: 'equal' } },
    lines: [{ run: 'ss-set address "10.0.0.$(ss-get id)"' }],
  },
  all: {
    lines: [
      {
        run: 'ss-get-all member address',
        out: [1, 2, 3].map((id) => `member.${id}:address 10.0.0.${id}\n`).join(''),
        err: /^(Waiting for .*\n)*$/,
      },
      { run: 'ss-get-all member same', out: [1, 2, 3].map((id) => `member.${id}:same equal\n`).join('') },
      { run: 'ss-get-all --value equal member same' },
      { run: 'ss-get-all --value other member same', rc: 1, out: [1, 2, 3].map((id) => `member.${id}:same equal\n`).join(''), err: /\S/ },
      { run: 'ss-get-all --noblock member never', out: [1, 2, 3].map((id) => `member.${id}:never \n`).join('') },
      {
        run: 'ss-get-all --timeout 1 member never',
        out: [1, 2, 3].map((id) => `member.${id}:never \n`).join(''),
        err: /Waiting for/,
        ms: [900, 2500],
      },
      { run: 'ss-get-all', rc: 2, err: usage('ss-get-all') },
      { run: 'ss-get-all member', rc: 2, err: usage('ss-get-all') },
    ],
  },
};

let system: System;
let run: SystemRun;
beforeAll(async () => {
  system = await System.start();
  const nodes = Object.entries(recipes).map(([name, { lines, node }]) => [name, nodeOf(lines, node)]);
  run = await system.up(await deploymentOf(Object.fromEntries(nodes) as Record<string, TestNode>));
  const detail = await run.reaches('Ready');
  expect(detail.abort).toBeNull();
});
afterAll(() => system.close());

describe('the commands in a machine', () => {
  it.each(Object.entries(recipes).map(([name, { lines }]) => ({ name, lines })))(
    'do what recipes expect: $name',
    async ({ name, lines }) => {
      await expectTranscript(run, `${name}.1`, lines);
    },
  );

  it('number the instances of a node', async () => {
    await expectTranscript(run, 'keys.2', recipes['keys']?.lines ?? []);
  });

  it('store values as they were given: quotes and spaces are only lost on the way out', async () => {
    expect(await run.get('set.1:quoted')).toBe('"q"');
    expect(await run.get('set.1:spaces')).toBe('  s  ');
  });
});
