import type { ProjectRole } from '@paceline/api';
import type { PublishedModule } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import { includes, projectsWith, roleIn, type Identity } from './roles.ts';

/**
 * Who may publish under a name: deployers of the project that the name begins with, `shop` or `shop/web` for the project `shop`, and
 * deployers of the server.
 * @throws PACELINE_FORBIDDEN
 */
export function checkPublisher(identity: Identity, name: string): void {
  if (hasRole(identity, name, 'deployer')) return;
  // No module can be named as the project of a job.
  const [project] = (identity.job === true ? undefined : projectsWith(identity, 'deployer')) ?? [];
  throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} may not publish ${name}`, {
    hint:
      project === undefined
        ? `That takes a deployer of the project that the name begins with${identity.job === true ? ', or a rule that makes the job an `operator`' : ''}.`
        : `Publish it under a name of your project, such as ${project}/${name.slice(name.lastIndexOf('/') + 1)}.`,
  });
}

/** Who may deprecate and delete a version: who has published it, and operators of its project. @throws PACELINE_FORBIDDEN */
export function checkKeeper(identity: Identity, { name, version, author }: PublishedModule): void {
  if (hasRole(identity, name, 'operator') || (author === identity.name && hasRole(identity, name, 'deployer'))) return;
  throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} may not change ${name}@${version}`, {
    hint: `That takes an operator of the project that its name begins with, or ${author}, who has published it.`,
  });
}

/**
 * Who says what a channel means: operators of its project. Deployers publish what is only a candidate until somebody has tried it.
 * @throws PACELINE_FORBIDDEN
 */
export function checkPromoter(identity: Identity, name: string): void {
  if (mayPromote(identity, name)) return;
  throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} may not say what the channels of ${name} mean`, {
    hint: 'That takes an operator of the project that its name begins with.',
  });
}

export function mayPromote(identity: Identity, name: string): boolean {
  return hasRole(identity, name, 'operator');
}

/** Projects may have slashes in their names, too. */
function hasRole(identity: Identity, name: string, role: ProjectRole): boolean {
  const parts = name.split('/');
  return parts.some((_, index) => includes(roleIn(identity, parts.slice(0, index + 1).join('/')), role));
}
