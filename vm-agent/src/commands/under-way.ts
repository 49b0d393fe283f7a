/** A command that has been called and has not had its answer yet. */
export interface CommandUnderWay {
  /** Its process. */
  pid: number;
  /** When it ends by itself, in milliseconds since 1970; 0 for never, undefined for at once. */
  end: number | undefined;
}

/** What ends later, in milliseconds from now, might as well never end. */
const farMs = 600_000;

/** Whether it ends by itself before long. */
export function endsSoon(end: number | undefined, now: number): boolean {
  return end === undefined || (end !== 0 && end - now <= farMs);
}
