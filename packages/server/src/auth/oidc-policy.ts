import { projectName, projectRoles, userName, type ProjectRole } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import * as z from 'zod';
import { includes } from './roles.ts';

const text = z.string().min(1).max(300);
const safeAddress = z.url().refine((url) => /^https:|^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(`${url}/`), 'must be https');

const rule = z
  .strictObject({
    /** A claim, such as `groups` or `realm_access.roles`. Without one the rule is for everybody who logs in. */
    claim: text.optional(),
    /** What the claim is, or one of what it lists. */
    value: text.optional(),
    project: projectName,
    role: z.enum(projectRoles),
  })
  .refine(({ claim, value }) => (claim === undefined) === (value === undefined), { error: 'claim and value go together' });

/** Whose people may log in with a browser, by OpenID Connect, and what they may. */
export const oidcPolicy = z.strictObject({
  /** Who says who they are. */
  issuer: safeAddress,
  /** The address of this server, as browsers call it. The issuer has to know `URL/api/login/oidc/callback`. */
  url: safeAddress,
  clientId: text,
  /** Undefined for a client that has none. */
  clientSecret: text.optional(),
  /** Of the button. */
  title: text.default('Log in with OpenID Connect'),
  scope: text.default('openid email profile'),
  /** The claim that names the user: one that people cannot choose for themselves. */
  user: text,
  /** In the projects that are named here, roles are as these say at each login; elsewhere admins give them. */
  roles: z.array(rule).max(1000).default([]),
});
export type OidcPolicy = z.infer<typeof oidcPolicy>;

/** What a provider says of a person. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who has logged in. */
export interface Person {
  name: string;
  /** Roles by project, of those that the policy speaks of. */
  grants: ReadonlyMap<string, ProjectRole>;
}

/** @throws PACELINE_FORBIDDEN when the claims name nobody who can be a user */
export function personOf({ user, roles }: Pick<OidcPolicy, 'user' | 'roles'>, claims: Claims): Person {
  const name = userName.safeParse(valueAt(claims, user));
  if (!name.success) {
    throw new PacelineError('PACELINE_FORBIDDEN', `The claim ${user} names no user`, {
      hint: 'Choose another claim as `user`, or let the provider send it: it may need a scope.',
    });
  }
  if (user === 'email' && claims['email_verified'] === false) {
    throw new PacelineError('PACELINE_FORBIDDEN', `The provider has not verified the address ${name.data}`);
  }
  const grants = new Map<string, ProjectRole>();
  for (const { claim, value, project, role } of roles) {
    if (claim !== undefined && !holds(valueAt(claims, claim), value)) continue;
    if (!includes(grants.get(project), role)) grants.set(project, role);
  }
  return { name: name.data, grants };
}

/** The projects in which roles are the provider's. */
export function projectsOf({ roles }: Pick<OidcPolicy, 'roles'>): Set<string> {
  return new Set(roles.map(({ project }) => project));
}

/** A claim by its name, or by the names of what it is in, with dots. */
function valueAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let at: unknown = claims;
  for (const part of name.split('.')) {
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? (at as Claims)[part] : undefined;
  }
  return at;
}

function holds(found: unknown, value: unknown): boolean {
  return Array.isArray(found) ? found.includes(value) : found === value;
}
