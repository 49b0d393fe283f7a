import { buildRequest, everyProject, runRequest, type Client } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type { Request, Response } from 'express';
import * as z from 'zod';
import { newRunTags } from '../runs/new-run-tags.ts';
import type { RunAccess } from '../runs/run-access.ts';
import type { Self } from '../runs/self.ts';

/** For whom something is made, and where it may be. */
export interface Maker {
  /** Speaks to the server in the user's name. */
  client: Client;
  credentials: BackstageCredentials;
  access: RunAccess;
  catalog: CatalogService;
  self: Pick<Self, 'isEverywhere'>;
  /** All that is made through this Backstage is in this project, if it has one. */
  project: string | undefined;
}

/** Starts a run. @throws PACELINE_REQUEST_INVALID, PACELINE_FORBIDDEN for another project, and what the server says */
export async function createRun(maker: Maker, request: Request, response: Response): Promise<void> {
  const { project: wanted, tags, ...rest } = parsed(runRequest, request);
  const project = within(maker.project, wanted);
  const { run } = await maker.client.runs.create({
    ...rest,
    tags: await newRunTags(maker.catalog, maker.credentials, tags),
    ...(project === undefined ? {} : { project }),
  });
  // The token of the run would open it without this Backstage, whatever its policy says by then.
  response.status(201).json({ run, token: '' });
}

/**
 * Has an image built, for the machines of one project: whoever builds can put anything into it.
 * @throws PACELINE_REQUEST_INVALID when nobody says for which project, PACELINE_FORBIDDEN, and what the server says
 */
export async function buildImage(maker: Maker, request: Request, response: Response): Promise<void> {
  const { project: wanted, ...rest } = parsed(buildRequest, request);
  const project = within(maker.project, wanted);
  if (project === everyProject) {
    throw new PacelineError('PACELINE_FORBIDDEN', 'Images for all projects are not built through Backstage', {
      hint: 'An operator of the server builds them: paceline build.',
    });
  }
  if (project === undefined && (await maker.self.isEverywhere())) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'Nobody has said whose machines the image is for', {
      hint: 'Say for which project with `project`, or set `paceline.project`.',
    });
  }
  const { image, run, joined } = await maker.client.images.build({ ...rest, ...(project === undefined ? {} : { project }) });
  // Of a build that somebody else has begun, those who may not see it learn that it is under way.
  const seen = run !== null && (await maker.access.seen(maker.credentials))(run) ? run : null;
  response.status(image === null ? 202 : 200).json({ image, run: seen, joined });
}

function within(own: string | undefined, wanted: string | undefined): string | undefined {
  if (own === undefined || wanted === undefined || wanted === own) return wanted ?? own;
  throw new PacelineError('PACELINE_FORBIDDEN', `What this Backstage starts is in the project ${own}, and not in ${wanted}`);
}

function parsed<T>(schema: z.ZodType<T>, { body }: Request): T {
  const asked = schema.safeParse(body);
  if (asked.success) return asked.data;
  throw new PacelineError('PACELINE_REQUEST_INVALID', z.prettifyError(asked.error), { cause: asked.error });
}
