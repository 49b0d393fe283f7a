import { everyProject, projectRoles, type ProjectRole, type SessionState } from '@paceline/api';

/** Whether somebody has a role, or a higher one, in a project; `*` is the server itself. */
export function may({ grants }: Pick<SessionState, 'grants'>, role: ProjectRole, project: string): boolean {
  return grants.some(
    (grant) =>
      (grant.project === everyProject || grant.project === project) && projectRoles.indexOf(grant.role) >= projectRoles.indexOf(role),
  );
}
