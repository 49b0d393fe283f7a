import { PacelineError } from '../errors/paceline-error.ts';

/**
 * The text of an XML file, in the encoding that it says it is in: old servers wrote others than UTF-8.
 * @throws PACELINE_MODULE_INVALID for encodings that nobody knows, and bytes that are not in the one that was said
 */
export function xmlText(file: string, bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PacelineError('PACELINE_MODULE_INVALID', `${file}: is not in the encoding ${encoding}`, {
      hint: 'Say in its first line which it is in, such as <?xml version="1.0" encoding="ISO-8859-1"?>, or write it as UTF-8.',
      cause,
    });
  }
}

const headBytes = 256;

function encodingOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const head = Buffer.from(bytes.subarray(0, headBytes)).toString('latin1');
  return /^(?:\u00ef\u00bb\u00bf)?<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1]?.toLowerCase() ?? 'utf-8';
}
