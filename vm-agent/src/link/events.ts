import { StringDecoder } from 'node:string_decoder';

/** A longer line is no event of ours: values have at most 1 MiB. */
const longestLine = 64 * 1024 * 1024;

/**
 * Reads Server-Sent Events from chunks that may be cut anywhere, within a character or between CR and LF.
 * Comments, `id` and `retry` are left out: every connection begins with a `hello` that says it all.
 */
export function eventParser(onEvent: (event: string, data: string) => void): (chunk: Uint8Array) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let searched = 0;
  let event = '';
  let data: string[] = [];

  function line(text: string): void {
    if (text === '') {
      if (data.length > 0) onEvent(event || 'message', data.join('\n'));
      event = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }

  return (chunk) => {
    rest += decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    let from = 0;
    const ends = /\r\n|\n|\r/g;
    ends.lastIndex = searched;
    for (let end = ends.exec(rest); end; end = ends.exec(rest)) {
      // A CR at the very end may be the first half of CRLF.
      if (end[0] === '\r' && end.index === rest.length - 1) break;
      line(rest.slice(from, end.index));
      from = end.index + end[0].length;
    }
    rest = rest.slice(from);
    searched = Math.max(0, rest.length - 1);
    if (rest.length > longestLine) throw new Error('an event of the stream is too long');
  };
}
