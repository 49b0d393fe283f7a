import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parameterTypes, type ParameterSpec } from '../resolved/parameter.ts';
import { checkValue } from './value.ts';

test.each<[ParameterSpec, string, string]>([
  [{ type: 'boolean' }, 'Yes', 'true'],
  [{ type: 'boolean' }, '0', 'false'],
  [{ type: 'integer' }, ' +08 ', '8'],
  [{ type: 'integer', minimum: -5 }, '-3', '-3'],
  [{ type: 'number' }, '1.50', '1.5'],
  [{ type: 'enum', values: ['a', 'b'] }, 'b', 'b'],
  [{ type: 'string', pattern: '[a-z]+' }, 'abc', 'abc'],
  [{ type: 'text' }, ' as it is\n', ' as it is\n'],
  [{ type: 'integer' }, '', ''],
])('%j takes %j as %j', (spec, text, value) => expect(checkValue(spec, text)).toEqual({ value }));

test('refusals say what would be right', () => {
  const refuse = (spec: ParameterSpec, text: string): unknown => Object.values(checkValue(spec, text)).join(' | ');
  expect(refuse({ type: 'boolean' }, 'maybe')).toMatchInlineSnapshot(`"must be true or false, not "maybe""`);
  expect(refuse({ type: 'integer' }, '1.5')).toMatchInlineSnapshot(`"must be a whole number, not "1.5""`);
  expect(refuse({ type: 'integer', minimum: 1 }, '0')).toMatchInlineSnapshot(`"must be at least 1, not 0"`);
  expect(refuse({ type: 'number', maximum: 1 }, '1e3')).toMatchInlineSnapshot(`"must be at most 1, not 1000"`);
  expect(refuse({ type: 'enum', values: ['small', 'large'] }, 'smal')).toMatchInlineSnapshot(
    `"must be one of small, large, not "smal" | Did you mean \`small\`?"`,
  );
  expect(refuse({ type: 'string', pattern: '[a-z]+' }, 'abc1')).toMatchInlineSnapshot(`"must match [a-z]+, not "abc1""`);
  expect(refuse({ type: 'password', pattern: '.{8,}' }, 'secret')).toMatchInlineSnapshot(`"must match .{8,}"`);
});

test('a secret is not in the message', () => {
  expect(checkValue({ type: 'integer', secret: true }, 'hunter2')).toEqual({ message: 'must be a whole number' });
  expect(checkValue({ type: 'enum', values: ['hunter3'], secret: true }, 'hunter2')).toEqual({
    message: 'must be one of hunter3',
  });
});

test('a checked value is in its normal form already', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...parameterTypes),
      fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)),
      (type, text) => {
        const first = checkValue({ type, values: ['a'] }, text);
        if ('value' in first) expect(checkValue({ type, values: ['a'] }, first.value)).toEqual(first);
      },
    ),
  );
});
