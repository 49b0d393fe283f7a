/** One entry of a tar archive, as its header tells it. */
export interface TarEntry {
  /** Folders end with a slash. */
  name: string;
  type: 'file' | 'folder' | 'link';
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** In seconds. */
  mtime: number;
  /** Of a link. */
  target?: string;
}

export const blockSize = 512;
const flags = { file: '0', folder: '5', link: '2' } as const;
/** The most that eleven octal digits hold. */
const largestOctal = 0o77777777777;

/** A ustar header, with a pax header before it for what ustar cannot hold: long names, more than 8 GiB, large ids. */
export function tarHeader(entry: TarEntry): Buffer {
  const records: string[] = [];
  const name = fit(entry.name, 'path', records);
  const target = fit(entry.target ?? '', 'linkpath', records);
  const size = number(entry.size, largestOctal, 'size', records);
  const uid = number(entry.uid, 0o7777777, 'uid', records);
  const gid = number(entry.gid, 0o7777777, 'gid', records);
  const mtime = Math.max(0, Math.floor(entry.mtime));
  const own = ustar(name, flags[entry.type], entry.mode, uid, gid, size, mtime, target);
  if (records.length === 0) return own;
  const body = Buffer.from(records.join(''));
  const pax = ustar(Buffer.from('PaxHeader'), 'x', 0o644, 0, 0, body.length, mtime, Buffer.alloc(0));
  return Buffer.concat([pax, body, padding(body.length), own]);
}

/** Zeros up to the next block. */
export function padding(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}

/** Two empty blocks. */
export const tarEnd: Buffer = Buffer.alloc(2 * blockSize);

function fit(text: string, keyword: string, records: string[]): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 100) records.push(record(keyword, text));
  return bytes.subarray(0, 100);
}

function number(value: number, largest: number, keyword: string, records: string[]): number {
  if (value <= largest) return value;
  records.push(record(keyword, String(value)));
  return 0;
}

/** `<length> <keyword>=<value>\n`, where the length counts its own digits. */
function record(keyword: string, value: string): string {
  const rest = Buffer.byteLength(` ${keyword}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${keyword}=${value}\n`;
}

function ustar(name: Buffer, flag: string, mode: number, uid: number, gid: number, size: number, mtime: number, target: Buffer): Buffer {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  name.copy(block, 0);
  octal(mode & 0o7777, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(flag, 156, 'latin1');
  target.copy(block, 157);
  block.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
