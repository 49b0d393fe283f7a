import type { FastifyRequest } from 'fastify';
import { PacelineError } from '@paceline/model';

/** The token that a request carries: `Authorization: Bearer`, or the password of `Basic` for old clients. */
export function bearerOf(request: FastifyRequest): string {
  const header = request.headers.authorization ?? '';
  const [scheme = '', rest = ''] = header.split(' ', 2);
  if (/^bearer$/i.test(scheme) && rest !== '') return rest;
  if (/^basic$/i.test(scheme)) {
    const decoded = Buffer.from(rest, 'base64').toString('utf8');
    const password = decoded.slice(decoded.indexOf(':') + 1);
    if (password !== '') return password;
  }
  throw new PacelineError('PACELINE_UNAUTHENTICATED', 'The request carries no token', {
    hint: 'Send `Authorization: Bearer <token>`.',
  });
}
