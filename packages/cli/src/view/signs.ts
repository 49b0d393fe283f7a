/** The drawing of a tree, in characters that the terminal has. */
export interface Signs {
  branch: string;
  last: string;
  trunk: string;
  gap: string;
  done: string;
  failed: string;
}

export const unicodeSigns: Signs = { branch: '├─ ', last: '└─ ', trunk: '│  ', gap: '   ', done: '✓', failed: '✗' };
export const asciiSigns: Signs = { branch: '|- ', last: '`- ', trunk: '|  ', gap: '   ', done: '+', failed: 'x' };
