import { everyProject, projectRoles, type GrantView, type ProjectRole } from '@paceline/api';

/** Who asks with the operator's token, and so the name of no person. */
export const operatorName = 'operator';

/** Who asks, and what they may do where. */
export interface Identity {
  /** For people, and what tells whose a run is. */
  name: string;
  /** Roles by project; that in `*` counts everywhere. */
  grants: ReadonlyMap<string, ProjectRole>;
  /** The personal token that was shown, or that the session was begun with. */
  token?: TokenLimits;
  /** A job's login, which is short by itself and begins no session in a browser. */
  job?: true;
}

/** What a personal token is good for. */
export interface TokenLimits {
  id: string;
  /** Milliseconds since the epoch; null for ever. */
  expiresAt: number | null;
  /** It is allowed less than its user. */
  restricted: boolean;
}

export function includes(role: ProjectRole | undefined, needed: ProjectRole): boolean {
  return role !== undefined && projectRoles.indexOf(role) >= projectRoles.indexOf(needed);
}

/** The role in a project; `*` asks for that on the server itself. */
export function roleIn({ grants }: Pick<Identity, 'grants'>, project: string): ProjectRole | undefined {
  const [everywhere, here] = [grants.get(everyProject), grants.get(project)];
  return everywhere !== undefined && includes(everywhere, here ?? 'viewer') ? everywhere : here;
}

/** The projects in which somebody has a role, or undefined for all. */
export function projectsWith({ grants }: Pick<Identity, 'grants'>, needed: ProjectRole): string[] | undefined {
  if (includes(grants.get(everyProject), needed)) return undefined;
  return [...grants].filter(([, role]) => includes(role, needed)).map(([project]) => project);
}

/** What is left of grants within the bounds of a token: at most this role, in this project only. */
export function bounded(
  grants: ReadonlyMap<string, ProjectRole>,
  { role, project }: { role: ProjectRole | null; project: string | null },
): Map<string, ProjectRole> {
  const lower = (held: ProjectRole): ProjectRole => (role !== null && includes(held, role) ? role : held);
  if (project === null) return new Map([...grants].map(([name, held]) => [name, lower(held)]));
  const held = roleIn({ grants }, project);
  return new Map(held === undefined ? [] : [[project, lower(held)]]);
}

export function grantViews(grants: ReadonlyMap<string, ProjectRole>): GrantView[] {
  return [...grants].map(([project, role]) => ({ project, role })).toSorted((a, b) => (a.project < b.project ? -1 : 1));
}
