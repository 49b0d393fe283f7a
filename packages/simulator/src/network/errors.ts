import { isPacelineError } from '@paceline/model';

/** An answer that is not a success. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** No answer: nobody knows what became of the request. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

/** What a server makes of whatever its engine throws. */
export function toHttpError(error: unknown): HttpError {
  if (isPacelineError(error)) return new HttpError(error.status, error.code, error.message);
  return new HttpError(500, 'PACELINE_INTERNAL', String(error));
}

/** The server will not have us any more: trying again is of no use. */
export function isFinal(error: unknown): error is HttpError {
  return error instanceof HttpError && [401, 403, 410].includes(error.status);
}
