const escape = '\u0010';
const escapedEscape = `${escape}0010`;
const escapedNull = `${escape}0000`;

/**
 * Text as every database can keep it. PostgreSQL refuses U+0000, and UTF-8 has no half of a surrogate pair; programs print
 * both. They become U+0010 (data link escape) and four hexadecimal digits, and so does U+0010 itself.
 */
export function encodeText(text: string): string {
  const encoded = text.replaceAll(escape, escapedEscape).replaceAll('\0', escapedNull);
  if (encoded.isWellFormed()) return encoded;
  return encoded.replaceAll(/\p{Surrogate}/gu, (half) => escape + half.charCodeAt(0).toString(16));
}

/** The text that {@link encodeText} was given. */
export function decodeText(stored: string): string {
  if (!stored.includes(escape)) return stored;
  return stored
    .replaceAll(/\cP(d[89a-f][0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll(escapedNull, '\0')
    .replaceAll(escapedEscape, escape);
}
