/** A report that has come whole, as the store lists it. */
export interface StoredReport {
  name: string;
  instance: string;
  bytes: number;
  /** In hexadecimal. */
  sha256: string;
  /** When it was complete, in milliseconds since the epoch. */
  at: number;
}
