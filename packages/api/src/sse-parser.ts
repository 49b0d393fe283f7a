/** One event of a Server-Sent Events stream. */
export interface SseEvent {
  /** `message` when the stream does not say. */
  event: string;
  data: string;
  /** The last id that the stream has given, also by an earlier event; empty when there was none. */
  id: string;
}

/** The longest event that is taken, in characters: an answer that never ends a line is not a stream of ours. */
const maxEventLength = 16 * 1024 * 1024;

/** Reads a stream of bytes that comes in pieces of any size, cut anywhere. */
export class SseParser {
  readonly #decoder = new TextDecoder();
  #rest = '';
  /** A piece ended in CR: an LF that follows belongs to it. */
  #skipLineFeed = false;
  #event = '';
  #data: string[] = [];
  #length = 0;
  #id = '';

  /** @returns the events that end in this piece */
  push(bytes: Uint8Array): SseEvent[] {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return [];
    if (this.#skipLineFeed && text.startsWith('\n')) text = text.slice(1);
    this.#skipLineFeed = text.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.#rest + (lines[0] ?? '');
    this.#rest = lines.pop() ?? '';
    const events: SseEvent[] = [];
    for (const line of lines) this.#line(line, events);
    if (this.#length + this.#rest.length > maxEventLength) throw new Error(`an event of more than ${maxEventLength} characters`);
    return events;
  }

  #line(line: string, events: SseEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id });
      this.#event = '';
      this.#data = [];
      this.#length = 0;
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#event = value;
    else if (field === 'data') {
      this.#data.push(value);
      this.#length += value.length;
    } else if (field === 'id' && !value.includes('\0')) this.#id = value;
  }
}
