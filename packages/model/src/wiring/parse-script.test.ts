import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callsOf, type Flow } from './flow.ts';
import { parseScript } from './parse-script.ts';

/** `get key`, `set key`; `?` conditional, `~` tolerant, `!` not blocking, `*` possible. */
function calls(text: string): string[] {
  return callsOf(parseScript(text).flow).map(
    ({ command, key, node, blocking, conditional, tolerant, possible }) =>
      `${command.slice(3)} ${node === undefined ? '' : `${node} `}${key}${conditional ? '?' : ''}${tolerant ? '~' : ''}${!blocking && /ss-(get|wait)/.test(command) ? '!' : ''}${possible ? '*' : ''}`,
  );
}
const shape = (flow: Flow): unknown => {
  if (flow.kind === 'call') return flow.call.key;
  if (flow.kind === 'unread') return { unread: flow.sets };
  if (flow.kind === 'sequence') return flow.steps.map(shape);
  if (flow.kind === 'background') return { background: shape(flow.body) };
  return { [flow.kind]: (flow.kind === 'together' ? flow.parts : flow.branches).map(shape) };
};

test.each([
  [
    'options',
    'ss-get --timeout 360 --noblock a\nss-get --timeout=5 --ignore-abort b\nss-set -- c -1\nss-random -s 8 d\nss-get -v -- e',
    ['get a!', 'get b', 'set c', 'random d', 'get e'],
  ],
  [
    'paths and wrappers',
    '/opt/slipstream/client/bin/ss-get a\nsudo -u root ss-set b 1\ntimeout -k 5 10 ss-get c\nenv A=1 nice -n 5 ss-get d\n$SS_BIN/ss-get e\n"${SS_BIN}/ss-get" f\ncommand -v ss-get\nwhich ss-display',
    ['get a', 'set b', 'get c', 'get d', 'get e', 'get f'],
  ],
  [
    'substitutions',
    'x=$(ss-get a)\necho "b is $(ss-get b | tr -d x)" `ss-get c`\nexport D="$(ss-get d)"\ncat <(ss-get e) <<EOF\n$(ss-get f)\nEOF\n',
    ['get a', 'get b', 'get c', 'get d', 'get e', 'get f'],
  ],
  [
    'substitutions in substitutions',
    'x=$(echo $(ss-get "$(ss-get a)"))\ny=$(( $(ss-get n) + 1 ))\nz=${q:-$(ss-get r)}',
    ['get a', 'get n', 'get r?'],
  ],
  [
    'branches',
    'if [ "$(ss-get a)" = 1 ]; then ss-set b 1; elif ss-get c; then ss-set d 1; else ss-set e 1; fi\n[ -f x ] && ss-set f 1\ntrue || ss-get g',
    ['get a', 'set b?', 'get c?~', 'set d?', 'set e?', 'set f?', 'get g?'],
  ],
  [
    'loops',
    'while ! ss-get a; do sleep 1; done\nfor i in 1 2; do ss-get node.$i:b; done\nfor i in $(ss-get ids); do ss-set c 1; done\nuntil false; do ss-get d; done',
    ['get a~', 'get node.1:b', 'get node.2:b', 'get ids', 'set c?', 'get d?'],
  ],
  [
    'failure that is handled',
    'ss-get a || true\nx=$(ss-get b) || exit 1\n! ss-get c\nss-get d && ss-set e 1',
    ['get a~', 'get b', 'get c~', 'get d', 'set e'],
  ],
  [
    'functions',
    'wait_for() { ss-get --timeout 600 "$1"; }\nnever() { ss-get no; }\nwait_for a\nall() { for k in "$@"; do wait_for "$k"; done; wait_for $2; }\nall b c\nretry wait_for',
    ['get a', 'get b', 'get c', 'get c'],
  ],
  ['a wrapper with the same name', 'ss-get() { command ss-get --timeout 900 "$@"; }\nss-get a', ['get a']],
  [
    'arguments that change',
    'wait_for() { n=$1; shift; ss-get "$1"; }\nwait_for 1 a\nfor k in a b; do k=c; ss-get $k; done\nretry() { shift; "$@"; }\nretry 3 ss-set d 1',
    ['set d?*'],
  ],
  [
    'options in short',
    'ss-get --time 5 a\nss-get --no b\nss-get --help\nss-set --file x c\nss-random --size=3 d',
    ['get a', 'get b!', 'set c', 'random d'],
  ],
  ['waits', 'ss-wait a\nss-wait --timeout 5 b ready', ['wait a', 'wait b']],
  ['get-all', 'ss-get-all --timeout 5 worker ready\nss-get-all "$x" y', ['get-all worker ready']],
  [
    'shells in shells',
    `bash -c 'ss-get a; ss-set b 1'\neval "ss-set c 1"\ntrap 'ss-set d 1' EXIT\nsu - postgres -c "ss-set e 1"`,
    ['get a', 'set b', 'set c', 'set d?*', 'set e'],
  ],
  ['scripts for later', "cat > /etc/cron.d/x <<'EOF'\nss-set a 1\nEOF\necho 'ss-set failed' >&2", ['set a?*']],
  ['comments and words', '# ss-get a\necho ss-get b\nss-display "ss-get c"', []],
])('%s', (_, text, expected) => expect(calls(text)).toEqual(expected));

test('the order of things: background, pipelines, branches', () => {
  expect(
    shape(
      parseScript(
        '(ss-get a; ss-set b 1) &\nss-get c | ss-set d\nif x; then ss-get e; else ss-set f 1; fi\ncase $1 in a) ss-set g 1;; *) ss-set h 1;; esac',
      ).flow,
    ),
  ).toEqual([{ background: ['a', 'b'] }, { together: ['c', 'd'] }, { choice: ['e', 'f'] }, { choice: ['g', 'h'] }]);
});

test('what cannot be read is said, not guessed', () => {
  const notes = (text: string): string[] =>
    parseScript(text).notChecked.map(({ range, message }) => `${text.slice(range[0], range[1])} | ${message}`);
  expect(notes('ss-get "$key"\nss-get $OPTIONS a\nss-set node.$i:x 1\n. ./lib.sh\n. /etc/os-release\nssh host "ss-set x 1"'))
    .toMatchInlineSnapshot(`
    [
      "ss-get "$key" | The key of this ss-get is only known when the script runs.",
      "ss-get $OPTIONS a | The key of this ss-get is only known when the script runs.",
      "ss-set node.$i:x 1 | The key of this ss-set is only known when the script runs.",
      ". ./lib.sh | The file that is sourced here is not checked.",
      ""ss-set x 1" | The commands in this text are not checked.",
    ]
  `);
  expect(notes('#!/usr/bin/env python3\nimport os')).toMatchInlineSnapshot(`
    [
      "#!/usr/bin/env python3 | The script is for /usr/bin/env python3, not for a shell: it is not checked.",
    ]
  `);
  expect(notes('#!/usr/bin/env -S bash -e\nss-get a')).toEqual([]);
  expect(parseScript('#!/usr/bin/python\nss-set').mayAlsoSet).toBe(true);
  expect(parseScript('./configure').runsOthers).toBe(true);
  expect(parseScript('$BIN/configure').runsOthers).toBe(true);
  expect(parseScript('/usr/bin/id; systemctl start x').runsOthers).toBe(false);
  expect(parseScript('which ss-set; test -x /usr/bin/ss-set').mayAlsoSet).toBe(false);
  expect(parseScript('ssh host ss-set x 1').setsElsewhere).toBe(true);
});

test('functions without end are read in time', () => {
  const bomb = Array.from({ length: 40 }, (_, i) => `f${i}() { f${i + 1}; f${i + 1}; }`).join('\n');
  expect(calls(`${bomb}\nf40() { f0; ss-get a; }\nf0`).length).toBeLessThan(100_000);
});

test('no text crashes the reader', () => {
  const piece = fc.constantFrom(
    'ss-get ',
    'ss-set a ',
    '$(',
    ')',
    '`',
    '"',
    "'",
    '{',
    '}',
    '<<EOF\n',
    'if ',
    'then ',
    'fi\n',
    'for i in ',
    'do ',
    'done\n',
    '&',
    '|',
    ';',
    '\\',
    'f() ',
    '"$@"',
    '$1',
    '((',
    '[[',
    'case x in ',
    'esac\n',
    '\n',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('')),
      ),
      (text) => {
        for (const { range } of callsOf(parseScript(text).flow)) {
          expect(range[0]).toBeGreaterThanOrEqual(0);
          expect(range[1]).toBeLessThanOrEqual(text.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});
