import { fit, widthOf } from './width.ts';

const codes = { plain: '', bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;
export type Colour = keyof typeof codes;

/** A line as it is meant, before anything is known of the terminal: pieces of harmless text. */
export type Line = readonly Piece[];
export type Piece = string | readonly [Colour, string];

export interface Theme {
  colour: boolean;
  /** Lines and signs beyond ASCII. */
  unicode: boolean;
}

/** What a terminal can show, by the usual conventions: NO_COLOR, FORCE_COLOR, TERM, and the locale for Unicode. */
export function themeFor({ env }: { env: Readonly<Record<string, string | undefined>> }, output: { isTTY?: boolean }): Theme {
  const forced = env['FORCE_COLOR'];
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb' || forced === '0';
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return {
    colour: !refused && (output.isTTY === true || (forced ?? '') !== ''),
    unicode: /utf-?8/i.test(locale) && env['TERM'] !== 'linux',
  };
}

/** A line as a terminal of so many columns shows it. */
export function paint(line: Line, { colour, unicode }: Theme, columns = Number.POSITIVE_INFINITY): string {
  const pieces = line.map((piece) => (typeof piece === 'string' ? (['plain', piece] as const) : piece));
  const whole = pieces.reduce((sum, [, text]) => sum + widthOf(text), 0);
  const mark = whole <= columns ? '' : unicode ? '…' : '~';
  let room = columns - widthOf(mark);
  let painted = '';
  for (const [name, text] of pieces) {
    const shown = fit(text, room);
    room -= widthOf(shown);
    painted += colour && codes[name] !== '' && shown !== '' ? `\u001b[${codes[name]}m${shown}\u001b[0m` : shown;
    if (shown !== text) break;
  }
  return (painted + mark).trimEnd();
}
