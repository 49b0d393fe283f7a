import * as z from 'zod';

/** What somebody may do in a project; each role includes the ones before it. */
export const projectRoles = ['viewer', 'deployer', 'operator', 'admin'] as const;
export type ProjectRole = (typeof projectRoles)[number];

/** Stands for all projects, and for the server itself. */
export const everyProject = '*';

const time = z.iso.datetime();
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^\P{Cc}*$/u, 'must be one line without control characters');

export const projectName = line(200);
export const userName = z
  .string()
  .max(100)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}._@+-]*$/u, 'must be letters, digits and . _ @ + -, such as alice or alice@example.org');

/** The header in which a portal such as Backstage says for which of its users it asks. */
export const onBehalfOfHeader = 'paceline-on-behalf-of';
export const onBehalfOf = line(200);

/** How the records of a run name a user of a portal. @param portal the user of this server whose token the portal has */
export function throughPortal(user: string, portal: string): string {
  return `${user} via ${portal}`;
}

export const grantView = z.object({ project: z.string(), role: z.enum(projectRoles) });
export type GrantView = z.infer<typeof grantView>;

/** `POST /api/session`: any token that opens this server. The answer sets a cookie that scripts cannot read. */
export const loginRequest = z.strictObject({ token: z.string().min(1).max(10_000) });

/** How browsers may log in, beside with a token. */
export const loginWays = z.object({ oidc: z.object({ title: z.string() }).nullable() });
export type LoginWays = z.infer<typeof loginWays>;

/** Who asks, and what they may. */
export const sessionState = z.object({ name: z.string(), grants: z.array(grantView) });
export type SessionState = z.infer<typeof sessionState>;

export const userView = z.object({ name: z.string(), createdAt: time, createdBy: z.string(), grants: z.array(grantView) });
export type UserView = z.infer<typeof userView>;
export const userList = z.object({ users: z.array(userView) });

export const grantRequest = z.strictObject({ role: z.enum(projectRoles) });

/** `POST /api/tokens`: a token of a person, which may be allowed less than the person, never more. */
export const tokenRequest = z.strictObject({
  /** What it is for. */
  title: line(200),
  /** Whose it is. @default that of whoever asks */
  user: userName.optional(),
  expiresAt: time.optional(),
  /** At most this role. */
  role: z.enum(projectRoles).optional(),
  /** In this project only. */
  project: projectName.optional(),
});
export type TokenRequest = z.input<typeof tokenRequest>;

export const tokenView = z.object({
  id: z.string(),
  title: z.string(),
  user: z.string(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time.nullable(),
  role: z.enum(projectRoles).nullable(),
  project: z.string().nullable(),
});
export type TokenView = z.infer<typeof tokenView>;
export const tokenList = z.object({ tokens: z.array(tokenView) });

/** `token` is shown once: only its hash is kept. */
export const createdToken = z.object({ ...tokenView.shape, token: z.string() });
export type CreatedToken = z.infer<typeof createdToken>;

/** A change that somebody has asked for. */
export const auditEntry = z.object({
  id: z.string(),
  at: time,
  /** Who has asked. */
  actor: z.string(),
  /** The `operationId` of the route, such as `createToken`. */
  operation: z.string(),
  /** What it was about: a run, a user and a project, a token. */
  subject: z.string(),
  /** Of the answer, as in HTTP. */
  status: z.int(),
});
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditList = z.object({ entries: z.array(auditEntry) });
