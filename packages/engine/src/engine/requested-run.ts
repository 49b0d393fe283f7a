import { randomUUID } from 'node:crypto';
import type { RunRequest } from '@paceline/api';
import { planRun, withDigests } from '@paceline/model';
import { asBuild, demandingNothing, withBuiltImages } from '../images/plan-images.ts';
import { place } from '../placement/place.ts';
import { createRun, defaultProject } from '../run/create.ts';
import type { Run } from '../run/run.ts';
import type { EngineOptions } from './engine-options.ts';

/** A run that is asked for. Only the image factory asks for builds: everybody's machines boot what they make. */
export type WantedRun = RunRequest & { build?: true };

/**
 * The run that a request asks for, not stored yet: planned, placed, and booting what is built already.
 * @param now in milliseconds since the epoch
 * @throws PACELINE_REQUEST_INVALID, PACELINE_CLOUD_UNKNOWN
 */
export async function requestedRun(
  request: WantedRun,
  by: string,
  { clouds, store }: Pick<EngineOptions, 'clouds' | 'store'>,
  now: number,
): Promise<Run> {
  const { id = randomUUID(), name, project = defaultProject, parameters = {}, tags = [], build = false } = request;
  const { cloud, keepRunning, scalable, timeoutMs, lifetimeMs } = request;
  // Digests name what machines are made of: they are worked out here, not believed.
  const deployment = withDigests(request.deployment);
  const changes = { cloud, keepRunning, scalable, timeoutMs, lifetimeMs };
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const planned = build ? demandingNothing(deployment) : deployment;
  const placed = place(planRun(planned, { parameters, ...given, knownClouds: clouds.names }), clouds.names);
  const plan = await withBuiltImages(asBuild(placed, build, clouds), clouds, store.images, now);
  for (const node of Object.values(plan.nodes)) clouds.get(node.cloud);
  return createRun({ id, name: name ?? deployment.name, plan, by, project, tags, now });
}
