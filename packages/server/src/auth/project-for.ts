import { PacelineError } from '@paceline/model';
import { includes, projectsWith, roleIn, type Identity } from './roles.ts';

/**
 * The project of a new run: the one that was asked for, else the only one that its starter may deploy in, else `default`.
 * @throws PACELINE_FORBIDDEN, PACELINE_REQUEST_INVALID when it can be several
 */
export function projectFor(identity: Identity, wanted: string | undefined): string {
  const may = projectsWith(identity, 'deployer');
  const [only, ...others] = may ?? ['default'];
  if (wanted === undefined && only !== undefined && others.length > 0) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `${identity.name} may start runs in several projects: ${(may ?? []).join(', ')}`, {
      hint: 'Say in which one with `project`.',
    });
  }
  const project = wanted ?? only;
  if (project !== undefined && project !== '*' && includes(roleIn(identity, project), 'deployer')) return project;
  throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} may not start runs${wanted === undefined ? '' : ` in ${wanted}`}`, {
    hint: 'That takes the role of a deployer in the project.',
  });
}
