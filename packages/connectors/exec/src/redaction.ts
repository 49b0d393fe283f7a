const shortestSecret = 4;
const shortestLine = 16;
const longestText = 2000;
/** Lines of user data that are remembered; the oldest are forgotten first. */
const mostLines = 5000;

/** Takes out of a program's words what nobody else may read: its secrets, and lines of the user data that it was given. */
export class Redaction {
  readonly #secrets = new Set<string>();
  readonly #lines = new Set<string>();

  /** @param secrets what the program was told in confidence */
  constructor(secrets: readonly string[]) {
    for (const secret of secrets) {
      if (secret.length < shortestSecret) continue;
      this.#secrets.add(secret);
      this.#secrets.add(Buffer.from(secret).toString('base64'));
      this.#secrets.add(encodeURIComponent(secret));
      this.#secrets.add(JSON.stringify(secret).slice(1, -1));
    }
  }

  /** From now on the lines of a machine's user data are hidden; what all machines have in common is kept once. */
  hideUserData(userData: Uint8Array): void {
    const bytes = Buffer.from(userData);
    for (const line of [bytes.toString('base64'), ...bytes.toString('utf8').split('\n')]) {
      const text = line.trim();
      if (text.length >= shortestLine) this.#lines.add(text);
    }
    for (const oldest of this.#lines) {
      if (this.#lines.size <= mostLines) break;
      this.#lines.delete(oldest);
    }
  }

  /** @returns one line fit for a log, at most 2000 characters */
  clean(text: string): string {
    let clean = text;
    for (const secret of [...this.#secrets, ...this.#lines]) clean = clean.replaceAll(secret, '***');
    // oxlint-disable-next-line no-control-regex
    clean = clean.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
    return clean.length > longestText ? `${clean.slice(0, longestText)}…` : clean;
  }
}
