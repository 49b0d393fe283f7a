import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatKey, parseKey, qualifyKey } from './key.ts';
import { nodeLevelNames } from './system.ts';

const me = { node: 'client', index: 2 };

test.each([
  ['ss:state', 'ss:state'],
  ['machine:hostname', 'machine:hostname'],
  ['orchestrator:hostname', 'orchestrator:hostname'],
  ['orchestrator-exoscale-ch-gva:hostname', 'orchestrator-exoscale-ch-gva:hostname'],
  ['node.3:ready', 'node.3:ready'],
  ['apache:ready', 'apache.1:ready'],
  ['apache:multiplicity', 'apache:multiplicity'],
  ['apache:ids', 'apache:ids'],
  ['apache:max-provisioning-failures', 'apache:max-provisioning-failures'],
  ['ready', 'client.2:ready'],
  ['webserver.port', 'client.2:webserver.port'],
  ['torque-worker_nodename', 'client.2:torque-worker_nodename'],
  ['ids', 'client:ids'],
  ['multiplicity', 'client:multiplicity'],
])('%s on client.2 is %s', (written, full) => expect(qualifyKey(written, me)).toBe(full));

test('in the run of a single image, the machine has no number', () => {
  expect(qualifyKey('ready', { node: 'machine', index: 1 })).toBe('machine:ready');
  expect(qualifyKey('ids', { node: 'machine', index: 1 })).toBe('machine:ids');
});

test.each([
  '',
  ':',
  'a:',
  ':a',
  'a b',
  '-x',
  '.x',
  'a:b:c',
  'my-node:x',
  'a.0:x',
  'a.01:x',
  'a.x:y',
  'ss.1:x',
  'machine.1:x',
  'orchestrators:x',
  'x\n',
])('%j is not a key', (text) => expect(parseKey(text)).toBeUndefined());

test('the error names the key as SlipStream did', () => {
  expect(() => qualifyKey('a b', me)).toThrowErrorMatchingInlineSnapshot(`[PacelineError: Unknown key a b]`);
});

const name = fc.stringMatching(/^\w[\w.-]*$/);
const node = fc.stringMatching(/^\w+$/).filter((text) => !/^(ss|machine|orchestrator.*)$/.test(text));
const index = fc.integer({ min: 1, max: 999_999 });
const key = fc.oneof(
  fc.record({ kind: fc.constant('global' as const), name }),
  fc.record({ kind: fc.constant('machine' as const), name }),
  fc.record({ kind: fc.constant('orchestrator' as const), node: fc.constant('orchestrator-aws'), name }),
  fc.record({ kind: fc.constant('instance' as const), node, index, name }),
  fc.record({ kind: fc.constant('node' as const), node, name }),
  fc.record({ kind: fc.constant('own' as const), name }),
);

test('a formatted key parses back as itself', () => {
  fc.assert(
    fc.property(key, (k) => {
      expect(parseKey(formatKey(k))).toEqual(k);
    }),
  );
});

test('qualifying is idempotent, and nobody else would understand it differently', () => {
  fc.assert(
    fc.property(key, fc.record({ node, index }), fc.record({ node, index }), (k, one, other) => {
      const full = qualifyKey(formatKey(k), one);
      expect(qualifyKey(full, other)).toBe(full);
    }),
  );
});

test('a bare name is always mine', () => {
  fc.assert(
    fc.property(name, node, index, (n, mine, i) => {
      expect(qualifyKey(n, { node: mine, index: i })).toBe(nodeLevelNames.has(n) ? `${mine}:${n}` : `${mine}.${i}:${n}`);
    }),
  );
});

test('any text is a key or not, without a crash', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseKey(text)));
});
