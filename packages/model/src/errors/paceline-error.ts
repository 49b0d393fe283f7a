import { errorCatalogue, type ErrorCode } from './catalogue.ts';

const brand = Symbol.for('paceline.error');

export interface ErrorDetails {
  /** What the reader can do about it, as one sentence. */
  hint?: string;
  cause?: unknown;
  /** More fields for machines; they travel in the problem document. */
  data?: Record<string, unknown>;
}

/**
 * An error with a stable code. The message says what happened and where, the hint what to do.
 * Recognise it with {@link isPacelineError}, never with `instanceof`: packages may be loaded twice.
 */
export class PacelineError extends Error {
  readonly [brand] = true;
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly data: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'PacelineError';
    this.code = code;
    this.hint = details.hint;
    this.data = details.data ?? {};
  }

  /** The HTTP status that stands for this error. */
  get status(): number {
    return errorCatalogue[this.code].status;
  }

  /** The exit code of the command line for this error. */
  get exitCode(): number {
    return errorCatalogue[this.code].exit;
  }
}

export function isPacelineError(value: unknown): value is PacelineError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** Anything that was thrown, as an Error: keeps ours, wraps the rest. */
export function toError(value: unknown): Error {
  return value instanceof Error || isPacelineError(value) ? value : new Error(String(value));
}
