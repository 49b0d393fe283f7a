import { everyProject, projectRoles, type ProjectRole, type RunDetail, type SessionState } from '@paceline/api';
import type { RunRight } from '@paceline/ui';

/** Whether somebody has a role, or a higher one, in a project; `*` is the server itself. */
export function may({ grants }: Pick<SessionState, 'grants'>, role: ProjectRole, project: string): boolean {
  return grants.some(
    (grant) =>
      (grant.project === everyProject || grant.project === project) && projectRoles.indexOf(grant.role) >= projectRoles.indexOf(role),
  );
}

/** The projects that somebody may start runs in; `*` is any. */
export function projectsOf({ grants }: SessionState): string[] {
  return grants.filter(({ role }) => projectRoles.indexOf(role) >= projectRoles.indexOf('deployer')).map(({ project }) => project);
}

/** What somebody may do with a run: with their own as deployers, with others as operators. */
export function rightsOf(session: SessionState, { project, createdBy }: Pick<RunDetail, 'project' | 'createdBy'>): readonly RunRight[] {
  const own = createdBy === session.name && may(session, 'deployer', project);
  return own || may(session, 'operator', project) ? ['update', 'scale', 'terminate'] : [];
}
