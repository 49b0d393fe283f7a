import { types, type CustomTypesConfig } from 'pg';
import type { SqlValue } from './database.ts';
import { decodeText, encodeText } from './stored-text.ts';

/** A value as the wire has it: text, or bytes for BYTEA. */
export function toWire(value: SqlValue): string | Buffer | null {
  if (value === null) return null;
  if (typeof value === 'string') return encodeText(value);
  if (typeof value === 'number') return String(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

const { BOOL, BYTEA, FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC, OID } = types.builtins;
const parsers = new Map<number, (text: string) => SqlValue>([
  ...[FLOAT4, FLOAT8].map((type) => [type, Number] as const),
  ...[INT2, INT4, INT8, OID, NUMERIC].map((type) => [type, toNumber] as const),
  [BOOL, (text) => (text === 't' ? 1 : 0)],
  [BYTEA, (text) => new Uint8Array(Buffer.from(text.slice('\\x'.length), 'hex'))],
]);

/** Reads columns as the port promises: numbers as numbers, bytes as bytes, and all else, JSON too, as text. */
export const rowTypes = {
  getTypeParser: (type: number) => parsers.get(type) ?? decodeText,
} satisfies CustomTypesConfig;

function toNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) throw new RangeError(`The number ${text} is too large to be read exactly`);
  return number;
}
