import { randomUUID } from 'node:crypto';
import type { RunRequest } from '@paceline/api';
import { PacelineError, placedAs, placeRun, planRun, withDigests, type RunPlan } from '@paceline/model';
import { asBuild, demandingNothing, withBuiltImages } from '../images/plan-images.ts';
import type { CallFrame } from '../launch/call-limit.ts';
import type { Clouds } from '../launch/clouds.ts';
import { overBudgetWith, tooExpensive } from '../placement/cost.ts';
import { cloudsOf, roomFor } from '../placement/room.ts';
import { createRun, defaultProject } from '../run/create.ts';
import type { Run } from '../run/run.ts';
import type { EngineOptions } from './engine-options.ts';

/** A run that is asked for. Only the image factory asks for builds: everybody's machines boot what they make. */
export type WantedRun = RunRequest & { build?: true };

/**
 * The run that a request asks for, not stored yet: planned, placed, and booting what is built already.
 * @param existing the run of this id, when there is one: what the same request makes is placed as that is
 * @throws PACELINE_REQUEST_INVALID, PACELINE_CLOUD_UNKNOWN, PACELINE_NO_ROOM, PACELINE_OVER_BUDGET
 */
export async function requestedRun(
  request: WantedRun,
  by: string,
  { clouds, store, budget: most }: Pick<EngineOptions, 'clouds' | 'store' | 'budget'>,
  frame: CallFrame,
  existing: Run | undefined,
): Promise<Run> {
  const { id = randomUUID(), name, project = defaultProject, parameters = {}, tags = [], build = false } = request;
  const { cloud, keepRunning, scalable, timeoutMs, lifetimeMs, budget } = request;
  // Digests name what machines are made of: they are worked out here, not believed.
  const deployment = withDigests(request.deployment);
  const changes = { cloud, keepRunning, scalable, timeoutMs, lifetimeMs, budget };
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const asked = planRun(build ? demandingNothing(deployment) : deployment, { parameters, ...given, knownClouds: clouds.names });
  const planned = most === undefined ? asked : { ...asked, budgets: [...(asked.budgets ?? []), { of: 'the server' as const, ...most }] };
  const placed = existing === undefined ? await placedWhereRoomIs(planned, clouds, frame) : placedAs(planned, existing.plan);
  const now = frame.clock.now();
  const plan = await withBuiltImages(await asBuild(placed, build, clouds, frame), project, { clouds, images: store.images, frame });
  const run = createRun({ id, name: name ?? deployment.name, plan, by, project, tags, now });
  const problems = existing === undefined ? overBudgetWith(run, [], now) : [];
  if (problems.length > 0) throw tooExpensive(`A run of ${deployment.name}`, problems);
  return run;
}

/**
 * What cannot fit is refused before anything of it is launched.
 * @throws PACELINE_NO_ROOM, PACELINE_CLOUD_FAILED for what can go only where nothing can be launched now
 */
async function placedWhereRoomIs(planned: RunPlan, clouds: Clouds, frame: CallFrame): Promise<RunPlan> {
  const { names } = clouds;
  for (const { cloud } of Object.values(planned.nodes)) {
    const choices = cloudsOf(cloud, names);
    if (choices.every((name) => clouds.find(name) === undefined)) choices.forEach((name) => clouds.get(name));
  }
  const { plan, problems } = placeRun(planned, await roomFor(planned, clouds, frame));
  if (problems.length === 0) return plan;
  throw new PacelineError('PACELINE_NO_ROOM', `There is no room for a run of ${planned.deployment.name}. ${problems.join('. ')}`, {
    data: { problems },
    hint: 'End other runs, ask for fewer or smaller machines, or name other clouds: `paceline clouds` shows what they have left.',
  });
}
