import { buildAnswer, buildRequest, imageList, imageView, moduleView, pinRequest } from '@paceline/api';
import { iso, type ListedImage } from '@paceline/engine';
import * as z from 'zod';
import { channelParam, publishedView } from './modules.ts';
import { nothing, type App, type RouteContext } from './routes.ts';

const maxBuildBytes = 16 * 1024 * 1024;
const tags = ['images'];
const params = z.strictObject({ image: z.string().max(200) });
const anyReplica = { anyReplica: true };

/** The image factory, for operators of the server: everybody's machines boot what is built here. */
export function imageRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const list = { operationId: 'listImages', summary: 'List built images, the newest first', tags, response: { 200: imageList } };
  app.get('/api/images', { schema: list, config: anyReplica }, async () => ({ images: (await engine.images.list()).map(view) }));

  const build = {
    operationId: 'buildImage',
    summary: 'Build an image, unless it is built already',
    description: 'Answers with the image, or with the run that builds it: the one that is under way, when there is one.',
    tags,
    body: buildRequest,
    response: { 200: buildAnswer, 202: buildAnswer },
  };
  app.post('/api/images', { schema: build, bodyLimit: maxBuildBytes, config: anyReplica }, async (request, reply) => {
    const { deployment, cloud } = request.body;
    const asked = { deployment, ...(cloud === undefined ? {} : { cloud }) };
    const found = await engine.images.build(asked, await access.nameOf(request));
    if ('image' in found) return reply.status(200).send({ image: view(found.image), run: null, joined: false });
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
  app.put('/api/images/:image', { schema: pin, config: anyReplica }, async (request) => {
    return view(await engine.images.pin(request.params.image, request.body.pinned));
  });

  const promote = {
    operationId: 'promoteImage',
    summary: 'Make the published version that an image was built of the one that a channel means',
    tags,
    params: z.strictObject({ ...params.shape, ...channelParam.shape }),
    response: { 200: moduleView },
  };
  app.put('/api/images/:image/channels/:channel', { schema: promote, config: anyReplica }, async (request) => {
    const { image, channel } = request.params;
    return publishedView(await engine.images.promote(image, channel));
  });

  const remove = { operationId: 'deleteImage', summary: 'Delete an image, with its snapshot', tags, params, response: { 204: nothing } };
  app.delete('/api/images/:image', { schema: remove, config: anyReplica }, async (request, reply) => {
    await engine.images.remove(request.params.image);
    return reply.status(204).send(null);
  });
}

function view({ cloud, image, digest, module, run, madeAt, usedAt, pinned, channels, runs }: ListedImage): z.infer<typeof imageView> {
  return { cloud, image, digest, module, run, madeAt: iso(madeAt), usedAt: iso(usedAt), pinned, channels, runs };
}
