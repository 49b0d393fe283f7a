import { StringDecoder } from 'node:string_decoder';

/** A longer line is no event of ours: values have at most 1 MiB. */
const longestLine = 64 * 1024 * 1024;

/**
 * Reads the engine's Server-Sent Events, which have a line for the name and one for the data, from chunks that may be cut
 * anywhere, within a character too. Every connection begins with a `hello` that says it all, so nothing else in them matters.
 */
export function eventParser(onEvent: (event: string, data: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let event = '';
  return (chunk) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('data: ')) onEvent(event, line.slice(6));
    }
    if (rest.length > longestLine) throw new Error('an event of the stream is too long');
  };
}
