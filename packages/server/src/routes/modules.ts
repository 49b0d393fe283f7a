import { copyRequest, deprecationRequest, moduleContent, moduleList, moduleView, publishRequest } from '@paceline/api';
import { iso, type PublishedModule } from '@paceline/engine';
import { channelPattern, PacelineError, parseModuleReference, withDigests } from '@paceline/model';
import * as z from 'zod';
import { checkKeeper, checkPromoter, checkPublisher } from '../auth/module-rights.ts';
import { nothing, type App, type RouteContext } from './routes.ts';

const maxModuleBytes = 16 * 1024 * 1024;
const tags = ['modules'];
const params = z.strictObject({ module: z.string().max(300) });
/** A channel in the path of a route. */
export const channelParam = z.strictObject({
  channel: z.string().regex(channelPattern, 'must be the name of a channel: small letters, digits and dashes, at most 32'),
});
const everybody = { anyLogin: true, anyReplica: true };

/** The registry: who has logged in may look and take; who may publish, the names tell. */
export function moduleRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const list = {
    operationId: 'listModules',
    summary: 'List published modules: the newest version of each, or all of one',
    tags,
    querystring: z.strictObject({ name: z.string().max(200).optional() }),
    response: { 200: moduleList },
  };
  app.get('/api/modules', { schema: list, config: everybody }, async (request) => {
    await access.identity(request);
    const { name } = request.query;
    const found = name === undefined ? await engine.store.modules.list() : await engine.store.modules.versions(name);
    return { modules: found.map(publishedView) };
  });

  const get = {
    operationId: 'getModule',
    summary: 'What a version of a module is',
    description: '`NAME`, `NAME@VERSION`, `NAME@CHANNEL` or `NAME@sha256:DIGEST`.',
    tags,
    params,
    response: { 200: moduleContent },
  };
  app.get('/api/modules/:module', { schema: get, config: everybody }, async (request) => {
    await access.identity(request);
    const { module, deployment } = await engine.store.modules.content(parseModuleReference(request.params.module));
    return { module: publishedView(module), deployment };
  });

  const publish = {
    operationId: 'publishModule',
    summary: 'Publish a version of a module; what is the newest version already stays that',
    tags,
    body: publishRequest,
    response: { 201: moduleView },
  };
  app.post('/api/modules', { schema: publish, bodyLimit: maxModuleBytes, config: everybody }, async (request, reply) => {
    const { deployment, comment, commit } = request.body;
    const { name, ...pin } = parseModuleReference(request.body.name ?? deployment.name);
    if (Object.keys(pin).length > 0)
      throw new PacelineError('PACELINE_REQUEST_INVALID', 'The server says which version it is', { hint: `Publish it as ${name}.` });
    const identity = await access.identity(request);
    checkPublisher(identity, name);
    const published = await engine.store.modules.publish(
      { name, deployment: withDigests(deployment), author: identity.name, comment, commit },
      Date.now(),
    );
    return reply.status(201).send(publishedView(published));
  });

  const copy = {
    operationId: 'copyModule',
    summary: 'Publish a version under another name',
    tags,
    params,
    body: copyRequest,
    response: { 201: moduleView },
  };
  app.post('/api/modules/:module/copy', { schema: copy, config: everybody }, async (request, reply) => {
    const identity = await access.identity(request);
    const { name } = request.body;
    checkPublisher(identity, name);
    const copied = await engine.store.modules.copy(parseModuleReference(request.params.module), name, identity.name, Date.now());
    return reply.status(201).send(publishedView(copied));
  });

  const deprecate = {
    operationId: 'deprecateModule',
    summary: 'Say that a version should not be used any more, and why; `null` takes it back',
    tags,
    params,
    body: deprecationRequest,
    response: { 200: moduleView },
  };
  app.put('/api/modules/:module/deprecation', { schema: deprecate, config: everybody }, async (request) => {
    const reference = parseModuleReference(request.params.module);
    checkKeeper(await access.identity(request), await engine.store.modules.find(reference));
    return publishedView(await engine.store.modules.deprecate(reference, request.body.reason));
  });

  const promotion = z.strictObject({ ...params.shape, ...channelParam.shape });
  const promote = {
    operationId: 'promoteModule',
    summary: 'Make a version the one that a channel means from now on',
    tags,
    params: promotion,
    response: { 200: moduleView },
  };
  app.put('/api/modules/:module/channels/:channel', { schema: promote, config: everybody }, async (request) => {
    const reference = parseModuleReference(request.params.module);
    checkPromoter(await access.identity(request), reference.name);
    return publishedView(await engine.store.modules.promote(reference, request.params.channel));
  });

  const demote = { operationId: 'demoteModule', summary: 'End a channel of a module', tags, params: promotion, response: { 204: nothing } };
  app.delete('/api/modules/:module/channels/:channel', { schema: demote, config: everybody }, async (request, reply) => {
    const { name } = parseModuleReference(request.params.module);
    checkPromoter(await access.identity(request), name);
    await engine.store.modules.demote(name, request.params.channel);
    return reply.status(204).send(null);
  });

  const remove = { operationId: 'deleteModule', summary: 'Delete a version for good', tags, params, response: { 204: nothing } };
  app.delete('/api/modules/:module', { schema: remove, config: everybody }, async (request, reply) => {
    const reference = parseModuleReference(request.params.module);
    checkKeeper(await access.identity(request), await engine.store.modules.find(reference));
    await engine.store.modules.remove(reference);
    return reply.status(204).send(null);
  });
}

export function publishedView({ publishedAt, ...module }: PublishedModule): z.infer<typeof moduleView> {
  return { ...module, publishedAt: iso(publishedAt) };
}
