import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkExpression, evaluate, expressionOf, parametersOf } from './expression.ts';
import { cpuTimeOf } from '../testing/cpu-time.ts';

const values = {
  clients: { type: 'integer', value: '3' },
  ratio: { type: 'number', value: '0.5' },
  big: { type: 'boolean', value: 'true' },
  'my-name': { type: 'string', value: 'web' },
} as const;

test.each([
  ['${{ parameters.clients }}', '3'],
  ['${{ parameters.clients * 2 + 1 }}', '7'],
  ['${{ parameters.big ? parameters.clients : 1 }}', '3'],
  ['${{ int(double(parameters.clients) * parameters.ratio) }}', '1'],
  ['${{ parameters["my-name"] }}-${{ parameters.clients }}\n', 'web-3\n'],
  ['"${{ parameters.big }}"', '"true"'],
  ['${{ "a" }}${{ "b" }}', 'ab'],
])('%s is %j', (text, result) => {
  const found = expressionOf(text);
  expect(found && 'expression' in found && evaluate(found.expression, values)).toBe(result);
});

test('text without an expression has none', () => expect(expressionOf('${HOME} $x {{ y }}')).toBeUndefined());

test('what is wrong is said with its place', () => {
  const check = (text: string): string =>
    checkExpression(text, Object.keys(values))
      .map(({ message, hint, start, end }) => `${start}-${end} ${message} | ${hint}`)
      .join('\n');
  expect(check('parameters.clients *')).toMatchInlineSnapshot(
    `"20-20 The expression is not understood: it ends too early. | It is a CEL expression over \`parameters.NAME\`, such as \`parameters.clients * 2\`."`,
  );
  expect(check('parameters.client * parameters.big')).toMatchInlineSnapshot(
    `"0-17 The deployment has no parameter \`client\`. | Did you mean \`clients\`?"`,
  );
  expect(check('clients + 1')).toMatchInlineSnapshot(
    `"0-7 The expression uses \`clients\`, which is not known. | Write \`parameters.clients\`."`,
  );
  expect(check('nproc()')).toMatchInlineSnapshot(
    `"0-7 The expression is not understood: found no matching overload for 'nproc()'. | It is a CEL expression over \`parameters.NAME\`, such as \`parameters.clients * 2\`."`,
  );
  expect(check('')).toMatchInlineSnapshot(`"0-0 The expression is empty. | undefined"`);
  expect(expressionOf('a ${{ b')).toMatchInlineSnapshot(`
    {
      "problem": {
        "end": 5,
        "message": "The \`\${{\` has no \`}}\`.",
        "start": 2,
      },
    }
  `);
});

test('an expression that cannot be worked out says why in one line', () => {
  const attempt =
    (text: string): (() => string) =>
    () =>
      evaluate(text, values);
  expect(attempt('parameters.clients / 0')).toThrowErrorMatchingInlineSnapshot(`[Error: division by zero]`);
  expect(attempt('parameters.unset')).toThrowErrorMatchingInlineSnapshot(`[Error: \`parameters.unset\` has no value]`);
  expect(attempt('[parameters.clients]')).toThrowErrorMatchingInlineSnapshot(
    `[Error: the result is not a text, a number or true or false]`,
  );
  expect(attempt('parameters.clients * parameters.ratio')).toThrowErrorMatchingInlineSnapshot(
    `[Error: no such overload: dyn<int> * dyn<double>]`,
  );
});

test('the parameters that it reads', () => {
  expect(parametersOf('parameters.a + (parameters["b-c"] == 1 ? parameters.d : 2)')).toEqual(['a', 'b-c', 'd']);
});

test('any text around expressions comes through unchanged, and nothing crashes', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      fc.pre(!`${before} ${after}`.includes('${{') && !before.endsWith('$') && !before.endsWith('${') && before + after !== '');
      const found = expressionOf(`${before}\${{ parameters.clients }}${after}`);
      expect(found && 'expression' in found && evaluate(found.expression, values)).toBe(`${before}3${after}`);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void checkExpression(text, ['a'])));
});

test('regular expressions in it take no longer than they should', () => {
  const text = { a: { type: 'string' as const, value: 'a'.repeat(4000) } };
  expect(evaluate('parameters.a.matches("^(a|a)*$")', text)).toBe('true');
  const match = (): void => expect(evaluate('parameters.a.matches("^(a+)+b") || parameters.a.matches("(a|aa)+$b")', text)).toBe('false');
  expect(cpuTimeOf(match)).toBeLessThan(4000);
  expect(evaluate('"10.0.0.1".matches(r"^\\d+(\\.\\d+){3}$")', {})).toBe('true');
  expect(() => evaluate('"a".matches("(?=a)")', {})).toThrow(/looking ahead or behind is not supported/);
});

test.each([
  '[1, 2].map(x, [1, 2].map(y, x * y))',
  '[1].all(x, true)',
  'parameters.exists(x, x == "a")',
  'cel.bind(x, "aa", x + x)',
  'parameters.a.split("").join(parameters.a)',
])('loops are not for parameters: %s', (expression) => {
  expect(() => evaluate(expression, values)).toThrow(/is not for expressions over parameters/);
  expect(checkExpression(expression, Object.keys(values))[0]?.message).toMatch(/is not for expressions over parameters/);
});

test('what is too long for arithmetic cannot be used in it', () => {
  const long = { a: { type: 'string' as const, value: 'a'.repeat(4097) }, b: { type: 'string' as const, value: 'b' } };
  expect(() => evaluate('size(parameters.a)', long)).toThrow('`parameters.a` has more than 4096 characters');
  expect(() => evaluate('parameters["a"]', long)).toThrow('`parameters.a` has more than 4096 characters');
  expect(() => evaluate('parameters[parameters.b == "b" ? "a" : ""]', long)).toThrow();
  expect(evaluate('parameters.b', long)).toBe('b');
  expect(() => evaluate(`1${'+1'.repeat(1000)}`, {})).toThrow('it is longer than 2000 characters');
});
