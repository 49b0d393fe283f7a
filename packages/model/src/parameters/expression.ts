import { Environment } from '@marcbachmann/cel-js';
import { toError } from '../errors/paceline-error.ts';
import { longestMatched, Pattern } from '../pattern/pattern.ts';
import type { ParameterSpec } from '../resolved/parameter.ts';
import { suggest } from './suggestion.ts';

/** What is wrong with an expression; offsets are in its text. */
export interface ExpressionProblem {
  message: string;
  hint?: string | undefined;
  start: number;
  end: number;
}

/** The value of a parameter of the deployment, for expressions. */
export interface TypedValue {
  type: ParameterSpec['type'];
  value: string;
}

/** CEL's own `matches` backtracks without end; calls of it become calls of this one. */
const safeMatches = 'matchesInLinearTime';
const environment = new Environment({ limits: { maxAstNodes: 1000, maxDepth: 50 } })
  .registerVariable('parameters', 'map')
  .registerFunction(`string.${safeMatches}(string): bool`, (text: string, pattern: string) => {
    if (text.length > longestMatched) throw new Error(`a text of more than ${longestMatched} characters cannot be matched`);
    return new Pattern(pattern).isIn(text);
  });
const longest = 2000;
/** Values that are longer than this, in characters, are for scripts and not for arithmetic. */
const longestValue = 4096;
/** Loops within loops, and texts that square with each step: nothing that parameters need, and hours for a server. */
const endless = new Set(['all', 'exists', 'exists_one', 'filter', 'map', 'bind', 'join', 'transformList', 'transformMap']);

/**
 * The expression in a text with `${{ … }}` in it: `${{ a }}` is `a`, `x-${{ a }}` is `"x-" + string(a)`.
 * @returns undefined for a text without `${{`, a problem when one is not closed
 */
export function expressionOf(text: string): { expression: string } | { problem: ExpressionProblem } | undefined {
  if (!text.includes('${{')) return undefined;
  const pieces: string[] = [];
  let rest = 0;
  for (let open = text.indexOf('${{'); open !== -1; open = text.indexOf('${{', rest)) {
    const close = text.indexOf('}}', open);
    if (close === -1) return { problem: { message: 'The `${{` has no `}}`.', start: open, end: open + 3 } };
    if (open > rest) pieces.push(JSON.stringify(text.slice(rest, open)));
    pieces.push(text.slice(open + 3, close).trim());
    rest = close + 2;
    if (pieces.length === 1 && rest === text.length) return { expression: pieces[0] ?? '' };
  }
  if (rest < text.length) pieces.push(JSON.stringify(text.slice(rest)));
  return {
    expression: pieces.map((piece) => (piece.startsWith('"') && isLiteral(piece) ? piece : `string(${piece})`)).join(' + '),
  };
}

function isLiteral(piece: string): boolean {
  try {
    return typeof JSON.parse(piece) === 'string';
  } catch {
    return false;
  }
}

/** Says what is wrong with an expression over `parameters.NAME`, before any value is known. */
export function checkExpression(expression: string, declared: Iterable<string>): ExpressionProblem[] {
  const whole = { start: 0, end: expression.length };
  if (expression.trim() === '') return [{ message: 'The expression is empty.', ...whole }];
  if (expression.length > longest) return [{ message: `The expression is longer than ${longest} characters.`, ...whole }];
  try {
    const parsed = parse(expression);
    const names = new Set(declared);
    const unknown = references(parsed.ast).filter(({ name }) => !names.has(name));
    if (unknown.length > 0) {
      return unknown.map(({ name, start, end }) => ({
        message: `The deployment has no parameter \`${name}\`.`,
        hint: suggest(name, names) ?? 'Declare it under `spec.parameters`.',
        start,
        end,
      }));
    }
    const { valid, error } = parsed.check();
    return valid || error === undefined ? [] : [celProblem(error, expression, names)];
  } catch (error) {
    return [celProblem(error, expression, new Set(declared))];
  }
}

/** The parameters that an expression reads; empty when it does not parse. */
export function parametersOf(expression: string): string[] {
  try {
    return references(parse(expression).ast).map(({ name }) => name);
  } catch {
    return [];
  }
}

/**
 * Works out an expression: integers are CEL ints, numbers doubles, booleans bools, everything else strings.
 * @returns the result as text
 * @throws Error with a one-line message when it cannot be worked out or is not a single value
 */
export function evaluate(expression: string, values: Readonly<Record<string, TypedValue>>): string {
  const isLong = (name: string): boolean => Object.hasOwn(values, name) && (values[name]?.value.length ?? 0) > longestValue;
  const known = Object.entries(values).filter(([name]) => !isLong(name));
  const parameters = new Map(known.map(([name, typed]) => [name, celValue(typed)]));
  let result: unknown;
  try {
    const parsed = parse(expression);
    const long = references(parsed.ast).find(({ name }) => isLong(name));
    if (long !== undefined) throw new Error(`\`parameters.${long.name}\` has more than ${longestValue} characters`);
    result = parsed({ parameters });
  } catch (error) {
    throw new Error(summary(error), { cause: error });
  }
  if (typeof result === 'number' && !Number.isFinite(result)) throw new Error(`the result is ${result}`);
  if (['bigint', 'number', 'boolean', 'string'].includes(typeof result)) return String(result);
  throw new Error('the result is not a text, a number or true or false');
}

type Parsed = ReturnType<typeof environment.parse>;

/** @throws Error when the text is no expression, or one that may take for ever */
function parse(expression: string): Parsed {
  if (expression.length > longest) throw new Error(`it is longer than ${longest} characters`);
  const parsed = environment.parse(expression);
  tame(parsed.ast);
  return parsed;
}

interface Node {
  op: string;
  args: unknown;
  start: number;
  end: number;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function tame(node: unknown): void {
  if (Array.isArray(node)) node.forEach(tame);
  if (!isNode(node)) return;
  const { op, args, start, end } = node;
  if ((op === 'rcall' || op === 'call') && Array.isArray(args)) {
    const name: unknown = args[0];
    if (name === 'matches' && op === 'rcall') args[0] = safeMatches;
    else if (typeof name === 'string' && endless.has(name)) {
      throw Object.assign(new Error(`\`${name}\` is not for expressions over parameters`), { range: { start, end } });
    }
  }
  tame(args);
}

function celValue({ type, value }: TypedValue): unknown {
  if (type === 'integer') return BigInt(value);
  if (type === 'number') return Number(value);
  if (type === 'boolean') return value === 'true';
  return value;
}

function celProblem(error: unknown, expression: string, names: ReadonlySet<string>): ExpressionProblem {
  const { range } = error as { range?: { start: number; end: number } };
  const message = summary(error);
  const [, variable] = /^Unknown variable: (\w+)$/.exec(message) ?? [];
  if (variable !== undefined) {
    return {
      message: `The expression uses \`${variable}\`, which is not known.`,
      hint: names.has(variable) ? `Write \`parameters.${variable}\`.` : 'Expressions know `parameters.NAME` and CEL functions.',
      start: range?.start ?? 0,
      end: range?.end ?? expression.length,
    };
  }
  return {
    message: `The expression is not understood: ${message}.`,
    hint: 'It is a CEL expression over `parameters.NAME`, such as `parameters.clients * 2`.',
    start: Math.min(range?.start ?? 0, expression.length),
    end: Math.min(range?.end ?? expression.length, expression.length),
  };
}

function summary(error: unknown): string {
  const { summary: short } = error as { summary?: unknown };
  return (typeof short === 'string' ? short : (toError(error).message.split('\n')[0] ?? ''))
    .replace(/^No such key: (\S+)$/, '`parameters.$1` has no value')
    .replace(/^Unexpected token: EOF$/, 'it ends too early');
}

interface Reference {
  name: string;
  start: number;
  end: number;
}

/** Finds `parameters.NAME` and `parameters["NAME"]` in the tree of a parsed expression. */
function references(node: unknown): Reference[] {
  if (Array.isArray(node)) return node.flatMap(references);
  if (typeof node !== 'object' || node === null || !('op' in node) || !('args' in node)) return [];
  const { op, args, start, end } = node as { op: string; args: unknown; start: number; end: number };
  if ((op === '.' || op === '[]') && Array.isArray(args)) {
    const [target, key] = args as [{ op?: string; args?: unknown } | undefined, unknown];
    const name =
      op === '.' ? key : (key as { op?: string; args?: unknown } | undefined)?.op === 'value' ? (key as { args: unknown }).args : undefined;
    if (target?.op === 'id' && target.args === 'parameters' && typeof name === 'string') return [{ name, start, end }];
  }
  return Array.isArray(args) ? references(args) : [];
}
