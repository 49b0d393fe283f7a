import type { Problem } from '@paceline/api';
import { errorCatalogue, isPacelineError, PacelineError, type ErrorCode } from '@paceline/model';
import type { Response } from 'express';

const codes: Record<string, ErrorCode> = {
  AuthenticationError: 'PACELINE_UNAUTHENTICATED',
  NotAllowedError: 'PACELINE_FORBIDDEN',
  NotFoundError: 'PACELINE_NOT_FOUND',
  InputError: 'PACELINE_REQUEST_INVALID',
};

/** Answers with what went wrong as the server would say it: the pages know no other form. */
export function sendProblem(response: Response, error: unknown): void {
  const { code, status, message, hint, data } = toPacelineError(error);
  const { title } = errorCatalogue[code];
  const problem: Problem = { ...data, type: 'about:blank', title, status, detail: message, code, ...(hint === undefined ? {} : { hint }) };
  response.status(status).type('application/problem+json').send(JSON.stringify(problem));
}

/** Errors of the server as they are, those of Backstage translated, all others without their insides. */
export function toPacelineError(error: unknown): PacelineError {
  if (isPacelineError(error)) return error.code === 'PACELINE_UNAUTHENTICATED' ? tokenRefused(error) : error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = codes[name] ?? (isTooLarge(error) ? 'PACELINE_TOO_LARGE' : isBadBody(error) ? 'PACELINE_REQUEST_INVALID' : undefined);
  if (code !== undefined) return new PacelineError(code, message, { cause: error });
  return new PacelineError('PACELINE_INTERNAL', 'Something went wrong in the Paceline plugin', {
    cause: error,
    hint: 'The log of the back end says more.',
  });
}

/** The token of this Backstage is no business of whoever asks, and their own login is fine. */
export function tokenRefused(cause?: unknown): PacelineError {
  return new PacelineError('PACELINE_UNREACHABLE', 'The Paceline server does not accept the token of this Backstage', {
    cause,
    hint: 'Its administrator sets `paceline.server.token`.',
  });
}

function statusOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
}

const isTooLarge = (error: unknown): boolean => statusOf(error) === 413;
/** What the parser of bodies refuses. */
const isBadBody = (error: unknown): boolean => statusOf(error) === 400;
