import { loginRequest, sessionState, type SessionState } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { refuseOtherSites } from '../auth/browser-sessions.ts';
import { grantViews, type Identity } from '../auth/roles.ts';
import { nothing, type App, type RouteContext } from './routes.ts';

const loginsPerMinute = 30;
const tags = ['accounts'];

/** How browsers log in: a token becomes a cookie that no script can read. */
export function loginRoutes(app: App, { access, browsers }: RouteContext): void {
  const begin = {
    operationId: 'beginSession',
    summary: 'Log a browser in: exchange a token for a cookie',
    description: 'Needs the header `x-paceline-csrf: 1`, and so does every request with the cookie that changes something.',
    tags,
    security: [],
    body: loginRequest,
    response: { 201: sessionState },
  };
  const config = { anyReplica: true, rateLimit: { max: loginsPerMinute, timeWindow: '1 minute' } };
  app.post('/api/session', { schema: begin, bodyLimit: 16 * 1024, config }, async (request, reply) => {
    refuseOtherSites(request);
    const identity = await access.ofToken(request.body.token);
    if (identity.job) throw new PacelineError('PACELINE_FORBIDDEN', 'The token of a job begins no session in a browser');
    await browsers.open(identity.token === undefined ? 'operator' : { token: identity.token.id }, reply);
    request.audited = { actor: identity.name, subject: '' };
    request.log.info(`${identity.name} has logged in with a browser`);
    return reply.status(201).send(stateOf(identity));
  });

  const look = { operationId: 'getSession', summary: 'Who you are, and what you may', tags, response: { 200: sessionState } };
  app.get('/api/session', { schema: look }, async (request) => stateOf(await access.identity(request)));

  const end = { operationId: 'endSession', summary: 'Log a browser out', tags, security: [], response: { 204: nothing } };
  app.delete('/api/session', { schema: end }, async (request, reply) => {
    refuseOtherSites(request);
    browsers.close(reply);
    return reply.status(204).send(null);
  });
}

function stateOf({ name, grants }: Identity): SessionState {
  return { name, grants: grantViews(grants) };
}
