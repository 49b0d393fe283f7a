import { sessionRequest, sessionView } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type { App, RouteContext } from './routes.ts';

const loginsPerMinute = 120;
const lifetimeMs = 60 * 60_000;

export function sessionRoutes(app: App, { logins }: RouteContext): void {
  const login = {
    operationId: 'login',
    summary: 'Log in: exchange a token of GitHub Actions for one of this server',
    description:
      'The token that is given is a JWT which GitHub has made for the address of this server. The one in the answer is good for an hour.',
    tags: ['server'],
    security: [],
    body: sessionRequest,
    response: { 201: sessionView },
  };
  const config = { anyReplica: true, rateLimit: { max: loginsPerMinute, timeWindow: '1 minute' } };
  app.post('/api/sessions', { schema: login, bodyLimit: 16 * 1024, config }, async (request, reply) => {
    if (logins === undefined) {
      throw new PacelineError('PACELINE_FORBIDDEN', 'Nobody can log in to this server with a token of GitHub', {
        hint: 'Its operator can allow it with `paceline server --logins FILE`.',
      });
    }
    const principal = await logins.github.login(request.body.token);
    const { token, expiresAt } = await logins.sessions.open(principal, lifetimeMs);
    request.audited = { actor: principal.name, subject: '' };
    request.log.info(`${principal.name} has logged in as ${principal.role}`);
    return reply.status(201).send({ token, expiresAt: new Date(expiresAt).toISOString(), ...principal });
  });
}
