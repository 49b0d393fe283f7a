import { everyProject } from '@paceline/api';
import type { ListedImage } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import { includes, projectsWith, roleIn, type Identity } from './roles.ts';

/**
 * Whose machines a new image is for: those of the project that was asked for, else everybody's, else those of the only project that
 * the asker operates. Who builds can put anything into an image, so only machines of runs that they might change anyway boot it.
 * @throws PACELINE_FORBIDDEN, PACELINE_REQUEST_INVALID when it can be several
 */
export function projectOfBuild(identity: Identity, wanted: string | undefined): string {
  const operates = projectsWith(identity, 'operator');
  const [only, ...others] = operates ?? [everyProject];
  if (wanted === undefined && others.length > 0)
    throw new PacelineError('PACELINE_REQUEST_INVALID', `${identity.name} may build for several projects: ${(operates ?? []).join(', ')}`, {
      hint: 'Say for which one with `project`.',
    });
  const project = wanted ?? only;
  if (project !== undefined && includes(roleIn(identity, project), 'operator')) return project;
  throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} may not build images${wanted === undefined ? '' : ` for ${wanted}`}`, {
    hint: 'That takes an operator of the project whose machines boot them, or of the server.',
  });
}

/** Who has a role in a project sees its images; everybody's are nobody's secret. */
export function seesImage(identity: Identity, { project }: Pick<ListedImage, 'project'>): boolean {
  return project === everyProject || roleIn(identity, project) !== undefined;
}

export function mayChangeImage(identity: Identity, { project }: Pick<ListedImage, 'project'>): boolean {
  return includes(roleIn(identity, project), 'operator');
}

/** @throws PACELINE_FORBIDDEN */
export function checkImageKeeper(identity: Identity, image: Pick<ListedImage, 'project' | 'image'>): void {
  if (mayChangeImage(identity, image)) return;
  const whose = image.project === everyProject ? 'the server' : `the project ${image.project}`;
  throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} may not change ${image.image}`, {
    hint: `That takes an operator of ${whose}.`,
  });
}
