import {
  createdToken,
  everyProject,
  grantRequest,
  projectName,
  tokenList,
  tokenRequest,
  userList,
  userName,
  userView,
  type TokenView,
} from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { includes, projectsWith, roleIn, type Identity } from '../auth/roles.ts';
import { nothing, type App, type RouteContext } from './routes.ts';

const tags = ['accounts'];
const config = { anyLogin: true };
const userParams = z.strictObject({ user: userName });
const grantParams = z.strictObject({ user: userName, project: projectName });
const tokenParams = z.strictObject({ token: z.string().max(100) });

/** People, their roles in projects, and their tokens. */
export function accountRoutes(app: App, { access, accounts }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const record = (request: FastifyRequest, { name }: Identity, what: string): void => request.log.info(`${name} has ${what}`);
  /** @throws PACELINE_FORBIDDEN */
  const adminOf = async (request: FastifyRequest, project: string): Promise<Identity> => {
    const identity = await access.identity(request);
    if (includes(roleIn(identity, project), 'admin')) return identity;
    throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} is no admin of ${project === everyProject ? 'this server' : project}`);
  };

  const list = {
    operationId: 'listUsers',
    summary: 'List users, with their roles in the projects that you are an admin of',
    tags,
    response: { 200: userList },
  };
  app.get('/api/users', { schema: list, config }, async (request) => {
    const identity = await access.identity(request);
    const projects = projectsWith(identity, 'admin');
    if (projects?.length === 0) throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} is no admin of any project`);
    const shown = (project: string): boolean => projects?.includes(project) ?? true;
    const users = await accounts.users();
    return { users: users.map((user) => ({ ...user, grants: user.grants.filter(({ project }) => shown(project)) })) };
  });

  const add = {
    operationId: 'addUser',
    summary: 'Add a user, who may do nothing yet',
    tags,
    params: userParams,
    response: { 200: userView },
  };
  app.put('/api/users/:user', { schema: add, config }, async (request) => {
    const identity = await adminOf(request, everyProject);
    const user = await accounts.add(request.params.user, identity.name);
    record(request, identity, `added the user ${user.name}`);
    return user;
  });

  const remove = {
    operationId: 'removeUser',
    summary: 'Remove a user with all tokens',
    tags,
    params: userParams,
    response: { 204: nothing },
  };
  app.delete('/api/users/:user', { schema: remove, config }, async (request, reply) => {
    const identity = await adminOf(request, everyProject);
    await accounts.remove(request.params.user);
    record(request, identity, `removed the user ${request.params.user}`);
    return reply.status(204).send(null);
  });

  const grant = {
    operationId: 'grantRole',
    summary: 'Give a user a role in a project',
    description: 'The project `*` stands for all projects, and for the server itself.',
    tags,
    params: grantParams,
    body: grantRequest,
    response: { 200: userView },
  };
  app.put('/api/users/:user/grants/:project', { schema: grant, config }, async (request) => {
    const { user, project } = request.params;
    const identity = await adminOf(request, project);
    const granted = await accounts.grant(user, project, request.body.role);
    record(request, identity, `made ${user} a ${request.body.role} of ${project}`);
    return granted;
  });

  const revoke = {
    operationId: 'revokeRole',
    summary: 'Take the role in a project away',
    tags,
    params: grantParams,
    response: { 200: userView },
  };
  app.delete('/api/users/:user/grants/:project', { schema: revoke, config }, async (request) => {
    const { user, project } = request.params;
    const identity = await adminOf(request, project);
    const left = await accounts.revoke(user, project);
    record(request, identity, `taken the role of ${user} in ${project} away`);
    return left;
  });

  const tokens = {
    operationId: 'listTokens',
    summary: 'List your tokens; admins of the server see all',
    description: 'A token that is allowed less than its user sees itself alone, and revokes no other.',
    tags,
    response: { 200: tokenList },
  };
  app.get('/api/tokens', { schema: tokens, config }, async (request) => {
    const identity = await access.identity(request);
    const tokens = await accounts.tokens(isServerAdmin(identity) ? undefined : identity.name);
    return { tokens: tokens.filter((token) => isWithinReach(identity, token)) };
  });

  const create = {
    operationId: 'createToken',
    summary: 'Make a personal token',
    description: 'It is shown once. It may be allowed less than its user, never more, and never more or longer than the token that asks.',
    tags,
    body: tokenRequest,
    response: { 201: createdToken },
  };
  app.post('/api/tokens', { schema: create, config }, async (request, reply) => {
    const identity = await access.identity(request);
    const { title, user = identity.name, expiresAt, role = null, project = null } = request.body;
    const expires = expiresAt === undefined ? null : Date.parse(expiresAt);
    if (user !== identity.name && !isServerAdmin(identity)) throw onlyOwn(identity);
    refuseMore(identity, expires);
    const created = await accounts.createToken({ title, user, expiresAt: expires, role, project }, identity.name);
    request.audited = { subject: `${created.id} ${user}` };
    record(request, identity, `made the token ${created.id} of ${user}`);
    return reply.status(201).send(created);
  });

  const end = { operationId: 'revokeToken', summary: 'Revoke a token', tags, params: tokenParams, response: { 204: nothing } };
  app.delete('/api/tokens/:token', { schema: end, config }, async (request, reply) => {
    const identity = await access.identity(request);
    const found = await accounts.token(request.params.token);
    const { id, user } = found;
    if (!isWithinReach(identity, found)) throw new PacelineError('PACELINE_NOT_FOUND', `There is no token ${id}`);
    await accounts.revokeToken(id);
    record(request, identity, `revoked the token ${id} of ${user}`);
    return reply.status(204).send(null);
  });
}

function isServerAdmin(identity: Identity): boolean {
  return includes(roleIn(identity, everyProject), 'admin');
}

/** Whether somebody may see and revoke a token: all are an admin's of the server, people have their own, and a lesser token itself. */
function isWithinReach(identity: Identity, { id, user }: TokenView): boolean {
  if (isServerAdmin(identity)) return true;
  return user === identity.name && (identity.token?.restricted !== true || identity.token.id === id);
}

function onlyOwn({ name }: Identity): PacelineError {
  return new PacelineError('PACELINE_FORBIDDEN', `${name} may make own tokens only`);
}

/** What a token begets must not outlive it, or be allowed more. @throws PACELINE_FORBIDDEN */
function refuseMore({ token }: Identity, expiresAt: number | null): void {
  if (token === undefined) return;
  if (token.restricted) {
    throw new PacelineError('PACELINE_FORBIDDEN', 'A token that is allowed less than its user makes no other tokens');
  }
  if (token.expiresAt !== null && (expiresAt === null || expiresAt > token.expiresAt)) {
    throw new PacelineError('PACELINE_FORBIDDEN', 'A token makes none that lasts longer than itself', { hint: 'Give an earlier end.' });
  }
}
