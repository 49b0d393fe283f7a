import { longestMatched, Pattern } from '../pattern/pattern.ts';
import type { ParameterSpec } from '../resolved/parameter.ts';
import { closest } from './suggestion.ts';

/** A value in its normal form, or what is wrong with it: `must be a whole number, not "many"`. */
export type CheckedValue = { value: string } | { message: string; hint?: string };

const yes = new Set(['true', 'yes', 'on', '1']);
const no = new Set(['false', 'no', 'off', '0']);

/**
 * Checks the text of a value against the declaration of its parameter and brings booleans and numbers to one form
 * (`yes` is `true`, `+08` is `8`). The empty text means "not set" and fits every type.
 */
export function checkValue(spec: ParameterSpec, text: string): CheckedValue {
  if (text === '') return { value: '' };
  const typed = checkType(spec, text);
  const checked = 'message' in typed || spec.pattern === undefined ? typed : checkPattern(spec.pattern, typed.value);
  if ('value' in checked || !(spec.secret || spec.type === 'password')) return checked;
  // What is wrong may be said of a secret, but not what it is.
  return { message: checked.message.replace(/, not .*$/s, '') };
}

function checkType(spec: ParameterSpec, text: string): CheckedValue {
  switch (spec.type) {
    case 'boolean': {
      const word = text.trim().toLowerCase();
      if (yes.has(word)) return { value: 'true' };
      return no.has(word) ? { value: 'false' } : { message: `must be true or false, not ${quote(text)}` };
    }
    case 'integer':
      if (!/^\s*[+-]?\d{1,100}\s*$/.test(text)) return { message: `must be a whole number, not ${quote(text)}` };
      return checkLimits(spec, BigInt(text.trim().replace(/^\+/, '')));
    case 'number':
      if (text.trim() === '' || !Number.isFinite(Number(text))) return { message: `must be a number, not ${quote(text)}` };
      return checkLimits(spec, Number(text));
    case 'enum': {
      const values = spec.values ?? [];
      if (values.includes(text)) return { value: text };
      const near = closest(text, values);
      return {
        message: `must be one of ${values.join(', ')}, not ${quote(text)}`,
        ...(near === undefined ? {} : { hint: `Did you mean \`${near}\`?` }),
      };
    }
    default:
      return { value: text };
  }
}

/** The pattern is for the whole value. */
function checkPattern(pattern: string, value: string): CheckedValue {
  if (value.length > longestMatched) return { message: `must have at most ${longestMatched} characters, as it must match a pattern` };
  return new Pattern(pattern).matches(value) ? { value } : { message: `must match ${pattern}, not ${quote(value)}` };
}

function checkLimits({ minimum, maximum }: ParameterSpec, value: bigint | number): CheckedValue {
  if (minimum !== undefined && value < minimum) return { message: `must be at least ${minimum}, not ${value}` };
  if (maximum !== undefined && value > maximum) return { message: `must be at most ${maximum}, not ${value}` };
  return { value: String(value) };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);
}
