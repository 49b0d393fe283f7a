import { buildAnswer, buildRequest, imageList, imageView, moduleView, pinRequest } from '@paceline/api';
import { iso, type ListedImage } from '@paceline/engine';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { checkImageKeeper, mayChangeImage, projectOfBuild, seesImage } from '../auth/image-rights.ts';
import { mayPromote } from '../auth/module-rights.ts';
import { roleIn, type Identity } from '../auth/roles.ts';
import { channelParam, publishedView } from './modules.ts';
import { nothing, type App, type RouteContext } from './routes.ts';

const maxBuildBytes = 16 * 1024 * 1024;
const tags = ['images'];
const params = z.strictObject({ image: z.string().max(200) });
const everybody = { anyLogin: true, anyReplica: true };

/** The image factory. What is built for everybody is the server's operators' affair, what is for a project that of its operators. */
export function imageRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);
  const changing = async (request: FastifyRequest, text: string): Promise<{ identity: Identity; image: ListedImage }> => {
    const identity = await access.identity(request);
    const image = await engine.images.find(text, (one) => seesImage(identity, one));
    checkImageKeeper(identity, image);
    return { identity, image };
  };

  const list = { operationId: 'listImages', summary: 'List built images, the newest first', tags, response: { 200: imageList } };
  app.get('/api/images', { schema: list, config: everybody }, async (request) => {
    const identity = await access.identity(request);
    const seen = (await engine.images.list()).filter((image) => seesImage(identity, image));
    return { images: seen.map((image) => view(image, identity)) };
  });

  const build = {
    operationId: 'buildImage',
    summary: 'Build an image, unless it is built already',
    description: 'Answers with the image, or with the run that builds it: the one that is under way, when there is one.',
    tags,
    body: buildRequest,
    response: { 200: buildAnswer, 202: buildAnswer },
  };
  app.post('/api/images', { schema: build, bodyLimit: maxBuildBytes, config: everybody }, async (request, reply) => {
    const identity = await access.identity(request);
    const project = projectOfBuild(identity, request.body.project);
    const found = await engine.images.build({ ...request.body, project }, identity.name);
    if ('image' in found) return reply.status(200).send({ image: view(found.image, identity), run: null, joined: false });
    return reply.status(202).send({ image: null, ...found });
  });

  const pin = {
    operationId: 'pinImage',
    summary: 'Keep an image, or let it go',
    tags,
    params,
    body: pinRequest,
    response: { 200: imageView },
  };
  app.put('/api/images/:image', { schema: pin, config: everybody }, async (request) => {
    const { identity, image } = await changing(request, request.params.image);
    return view(await engine.images.pin(image, request.body.pinned), identity);
  });

  const promote = {
    operationId: 'promoteImage',
    summary: 'Make the published version that an image was built of the one that a channel means',
    tags,
    params: z.strictObject({ ...params.shape, ...channelParam.shape }),
    response: { 200: moduleView },
  };
  app.put('/api/images/:image/channels/:channel', { schema: promote, config: everybody }, async (request) => {
    const { identity, image } = await changing(request, request.params.image);
    const promoted = await engine.images.promote(image, request.params.channel, (module) => mayPromote(identity, module));
    return publishedView(promoted);
  });

  const remove = { operationId: 'deleteImage', summary: 'Delete an image, with its snapshot', tags, params, response: { 204: nothing } };
  app.delete('/api/images/:image', { schema: remove, config: everybody }, async (request, reply) => {
    const { image } = await changing(request, request.params.image);
    await engine.images.remove(image);
    return reply.status(204).send(null);
  });
}

function view({ madeAt, usedAt, lostAt, runs, ...image }: ListedImage, identity: Identity): z.infer<typeof imageView> {
  const seen = runs.filter(({ project }) => roleIn(identity, project) !== undefined);
  return {
    ...image,
    madeAt: iso(madeAt),
    usedAt: iso(usedAt),
    lostAt: lostAt === null ? null : iso(lostAt),
    runs: seen.map(({ id }) => id),
    needed: image.channels.length + runs.length > 0,
    changeable: mayChangeImage(identity, image),
  };
}
