import type * as z from 'zod';
import { closest } from '../parameters/suggestion.ts';
import type { Finding } from './diagnostic.ts';
import { guessSize } from '../quantity/size.ts';
import { exampleAt, keysAt } from './schema-at.ts';
import type { Path } from './yaml-document.ts';

type Issue = z.core.$ZodIssue;

/** What a schema finds wrong with a value, in the words of the files: where, and whether at the key or at the value. */
export interface SchemaProblem extends Finding {
  path: Path;
  at: 'key' | 'value';
  /** The key that was most likely meant by an unknown one. */
  meant?: string;
}

/** A hostile file could have very many unknown keys. */
const mostKeys = 20;

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  null: 'nothing',
};

/** Turns the issues of zod into problems that the writer of a YAML file understands. */
export function schemaProblems(schema: z.core.$ZodType, value: unknown, issues: readonly Issue[]): SchemaProblem[] {
  return withoutEchoes(issues.flatMap((issue) => problemsOf(schema, value, issue)));
}

/** A key that is written wrongly is also missing: one message says both. */
function withoutEchoes(problems: SchemaProblem[]): SchemaProblem[] {
  const meant = new Set(
    problems.flatMap(({ path, meant: key }) => (key === undefined ? [] : [JSON.stringify([...path.slice(0, -1), key])])),
  );
  return problems.filter(({ path, message }) => !(message.endsWith('is missing.') && meant.has(JSON.stringify(path))));
}

function problemsOf(schema: z.core.$ZodType, root: unknown, issue: Issue): SchemaProblem[] {
  const { path } = issue;
  const value = valueAt(root, path);
  const name = nameOf(path);
  const example = exampleAt(schema, path);
  const hint = example === undefined ? undefined : `For example: ${example}`;
  const problem = (message: string, more: string | undefined = hint, at: 'key' | 'value' = 'value'): SchemaProblem[] => [
    { path, at, message, hint: more },
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.slice(0, mostKeys).map((key) => ({ path: [...path, key], at: 'key', ...unknownKey(schema, path, key) }));
    case 'invalid_key':
      return problem(
        `\`${String(path.at(-1))}\` is not ${issue.issues[0]?.message ?? 'a valid key'}.`,
        nameHint(issue.issues[0]?.message),
        'key',
      );
    case 'invalid_union':
      return unionProblems(schema, root, issue, path);
    case 'invalid_type':
      if (value === undefined) return problem(`${name} is missing.`, hint, 'key');
      return problem(wrongKind(name, [issue.expected], value));
    case 'invalid_value': {
      if (value === undefined) return problem(`${name} is missing.`, `One of: ${issue.values.join(', ')}.`, 'key');
      const near = typeof value === 'string' ? closest(value, issue.values.map(String)) : undefined;
      const only = issue.values.length === 1;
      return problem(
        `${name} must be ${only ? '' : 'one of '}${issue.values.join(', ')}, not ${describe(value)}.`,
        near === undefined ? undefined : `Did you mean \`${near}\`?`,
      );
    }
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return problem(`${name} is empty.`);
      return problem(`${name} must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}, not ${describe(value)}.`);
    case 'too_big':
      if (issue.origin === 'string') return problem(`${name} is too long: at most ${issue.maximum} characters.`);
      return problem(`${name} must be at most ${issue.maximum}, not ${describe(value)}.`);
    case 'invalid_format': {
      const guess = issue.message === 'a size' ? guessSize(String(value)) : undefined;
      if (guess !== undefined) return problem(`${name} is not a size: ${describe(value)}.`, `Did you mean ${guess}?`);
      return problem(`${name} is not ${issue.message}: ${describe(value)}.`, hint ?? nameHint(issue.message));
    }
    default:
      return problem(`${name} ${issue.message}.`, hint, 'key');
  }
}

/** A union fails in as many ways as it has branches; the one that was meant has the right kind of value. */
function unionProblems(schema: z.core.$ZodType, root: unknown, issue: Issue & { code: 'invalid_union' }, path: Path): SchemaProblem[] {
  const branches = issue.errors.map((issues) => issues.map((inner): Issue => ({ ...inner, path: [...path, ...inner.path] })));
  const ofWrongKind = (inner: Issue): boolean =>
    inner.path.length === path.length &&
    (inner.code === 'invalid_type' || (inner.code === 'invalid_union' && inner.errors.every(isWrongKind)));
  const meant = branches.filter((issues) => !issues.some(ofWrongKind));
  const best = meant.toSorted((a, b) => strangeKeys(a) - strangeKeys(b) || a.length - b.length)[0];
  if (best !== undefined) return best.flatMap((inner) => problemsOf(schema, root, inner));
  const value = valueAt(root, path);
  if (value === undefined) return [{ path, at: 'key', message: `${nameOf(path)} is missing.` }];
  const example = exampleAt(schema, path);
  return [
    {
      path,
      at: 'value',
      message: wrongKind(nameOf(path), branches.flatMap(expectedKinds), value),
      hint: example === undefined ? undefined : `For example: ${example}`,
    },
  ];
}

function isWrongKind(issues: readonly Issue[]): boolean {
  return issues.some(({ path, code }) => path.length === 0 && code === 'invalid_type');
}

function nameOf(path: Path): string {
  const name = `\`${String(path.findLast((key) => typeof key === 'string') ?? 'file')}\``;
  return typeof path.at(-1) === 'number' ? `An item of ${name}` : name;
}

function wrongKind(name: string, expected: readonly string[], value: unknown): string {
  const kinds = [...new Set(expected.map((kind) => typeNames[kind] ?? kind))].filter((kind) => kind !== 'nothing');
  const last = kinds.pop();
  const list = kinds.length === 0 ? last : `${kinds.join(', ')} or ${last}`;
  return value === null ? `${name} is empty; it must be ${list}.` : `${name} must be ${list}, not ${describe(value)}.`;
}

function strangeKeys(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0), 0);
}

function expectedKinds(issues: readonly Issue[]): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'invalid_type') return [issue.expected];
    return issue.code === 'invalid_union' ? issue.errors.flatMap(expectedKinds) : [];
  });
}

function unknownKey(schema: z.core.$ZodType, path: Path, key: string): Finding & { meant?: string } {
  const known = keysAt(schema, path);
  const where = path.length === 0 ? 'at the top of the file' : `in \`${path.map(String).join('.')}\``;
  const near = closest(key, known);
  if (near !== undefined) return { message: `There is no \`${key}\` ${where}.`, hint: `Did you mean \`${near}\`?`, meant: near };
  for (const parent of ['spec', 'metadata']) {
    if (path[0] !== parent && keysAt(schema, [parent]).includes(key)) {
      return { message: `There is no \`${key}\` ${where}.`, hint: `\`${key}\` belongs under \`${parent}:\`.` };
    }
  }
  if (key === '<<') return { message: 'Merge keys (`<<`) are not understood.', hint: 'Write the keys out; images share by `extends`.' };
  return {
    message: `There is no \`${key}\` ${where}.`,
    hint: known.length > 0 ? `There are: ${known.join(', ')}.` : undefined,
  };
}

function nameHint(kind: string | undefined): string | undefined {
  if (kind === 'a node name') return 'Letters, digits and `_`; not `ss`, `machine` or a word beginning with `orchestrator`.';
  if (kind === 'a parameter name') return 'Letters, digits and `_`, after the first also `.` and `-`.';
  return undefined;
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** A value in a message: short, and with its kind where that is what is wrong. */
export function describe(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
  return JSON.stringify(value) ?? 'nothing';
}
