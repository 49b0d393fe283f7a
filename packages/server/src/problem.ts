import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '@paceline/api';
import { errorCatalogue, isPacelineError, PacelineError } from '@paceline/model';

const docs = 'https://paceline.dev/errors#';

/** Any error as the one kind that we show: ours as it is, Fastify's translated, everything else without its insides. */
export function toPacelineError(error: unknown): PacelineError {
  if (isPacelineError(error)) return error;
  const { statusCode, code, message, validation, validationContext } = (error ?? {}) as Partial<FastifyError>;
  if (validation !== undefined)
    return new PacelineError('PACELINE_REQUEST_INVALID', mistakes(validation, validationContext), { cause: error });
  if (statusCode === 413) return new PacelineError('PACELINE_TOO_LARGE', message ?? 'The body is too large', { cause: error });
  if (statusCode === 429) return new PacelineError('PACELINE_RATE_LIMITED', message ?? 'Too many requests', { cause: error });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new PacelineError('PACELINE_REQUEST_INVALID', message ?? code ?? 'The request is not valid', { cause: error });
  }
  return new PacelineError('PACELINE_INTERNAL', 'Something went wrong inside the server', {
    cause: error,
    hint: 'The log of the server says more; please report it.',
  });
}

const mostMistakes = 10;

function mistakes(validation: NonNullable<FastifyError['validation']>, context = ''): string {
  const shown = validation
    .slice(0, mostMistakes)
    .map(({ instancePath, message = 'is not valid' }) => `${context}${instancePath}: ${message}`);
  const more = validation.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

/** RFC 9457. */
export function problemOf(error: PacelineError): Problem {
  return {
    ...error.data,
    type: docs + error.code.toLowerCase(),
    title: errorCatalogue[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

/** What a client that may ask again is told to wait, in seconds. */
export const retryAfter = 1;

export function logRefusal(error: PacelineError, log: FastifyBaseLogger): void {
  // Who is asked to come back in a moment is no mistake of anybody.
  if (error.status === 503) log.info(error.message);
  else if (error.status >= 500) log.error({ err: error.cause ?? error }, error.message);
}

/** Logs an error and sets the head of its answer. */
export function refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply): PacelineError {
  const error = toPacelineError(thrown);
  logRefusal(error, request.log);
  if (error.status === 503) void reply.header('retry-after', retryAfter);
  void reply.status(error.status);
  return error;
}

export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = refuse(thrown, request, reply);
  void reply.type('application/problem+json').send(JSON.stringify(problemOf(error)));
}
