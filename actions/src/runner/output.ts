import { randomBytes } from 'node:crypto';

type Stream = Pick<NodeJS.WriteStream, 'write'>;

/**
 * The output of a step, of which the runner obeys lines like `::add-mask::x`. While text of machines is written the runner is told to
 * obey nothing but a word that machines cannot know, and that is used once. One object owns the stream: whatever else is written
 * to it meanwhile, by libraries, too, ends that part first. Otherwise a mask would be printed instead of obeyed.
 */
export class StepOutput {
  readonly #write: (text: string) => void;
  #word: string | undefined;

  /** Takes the stream over. */
  constructor(stream: Stream) {
    const write = stream.write.bind(stream);
    this.#write = (text) => void write(text);
    const whole = (...given: Parameters<typeof write>): boolean => {
      this.obey();
      return write(...given);
    };
    stream.write = whole as Stream['write'];
  }

  /** A line of text that the runner does not obey, whatever it is. */
  inert(line: string): void {
    if (this.#word === undefined) {
      this.#word = randomBytes(24).toString('hex');
      this.#write(`::stop-commands::${this.#word}\n`);
    }
    this.#write(`${line}\n`);
  }

  /** From here on the runner obeys again. */
  obey(): void {
    if (this.#word !== undefined) this.#write(`::${this.#word}::\n`);
    this.#word = undefined;
  }

  /** A line that the runner obeys. */
  command(line: string): void {
    this.obey();
    this.#write(`${line}\n`);
  }
}
