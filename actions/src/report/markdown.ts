import { harmless, harmlessLine } from '@paceline/door';

/** Nobody sees it, and it keeps GitHub from making links of addresses and calling people whose names are in a text. */
const gap = '&#8203;';

/** Text of machines as a piece of Markdown that means nothing but itself: no link, no picture, no table of its own, nobody's name. */
export function plain(text: string): string {
  const entities = harmlessLine(text).replace(/[^\w\s.,:;/+=%'"?-]/gu, (sign) => `&#${sign.codePointAt(0)};`);
  return entities.replace(/:\/\/|\bwww\.|&#64;|&#35;(?=\d)/gi, (sign) => (sign === '://' ? `:${gap}//` : `${sign}${gap}`));
}

/** As {@link plain}, in the type of code. */
export function code(text: string): string {
  return text === '' ? '' : `<code>${plain(text)}</code>`;
}

/** Lines of output, whatever is in them. */
export function codeBlock(lines: readonly string[]): string {
  const text = lines.map(harmless).join('\n');
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A text of at most so many bytes, cut between two lines when it is longer. */
export function cutAtLine(text: string, bytes: number, note: string): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const room = Buffer.from(text)
    .subarray(0, bytes - Buffer.byteLength(note) - 1)
    .toString('utf8');
  return `${room.slice(0, Math.max(0, room.lastIndexOf('\n')))}\n${note}`;
}
