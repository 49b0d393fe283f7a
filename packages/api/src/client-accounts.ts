import {
  auditList,
  createdToken,
  sessionState,
  tokenList,
  userList,
  userView,
  type AuditEntry,
  type CreatedToken,
  type ProjectRole,
  type SessionState,
  type TokenRequest,
  type TokenView,
  type UserView,
} from './accounts.ts';
import type { RequestOptions } from './client-request.ts';
import type * as z from 'zod';

/** People, what they may do, and their tokens. */
export interface AccountsClient {
  /** Who the token of this client is of, and what they may. */
  me(): Promise<SessionState>;
  users(): Promise<UserView[]>;
  /** Adds a user who may do nothing yet; one that is there already stays as it is. */
  addUser(name: string): Promise<UserView>;
  removeUser(name: string): Promise<void>;
  grant(name: string, project: string, role: ProjectRole): Promise<UserView>;
  revoke(name: string, project: string): Promise<UserView>;
  tokens(): Promise<TokenView[]>;
  createToken(request: TokenRequest): Promise<CreatedToken>;
  revokeToken(id: string): Promise<void>;
  /** Who has asked for which change, the newest first. @param page `before` is the id of an entry: only those before it */
  audit(page?: { before?: string; limit?: number }): Promise<AuditEntry[]>;
}

interface Ports {
  ask: <T>(path: string, schema: z.ZodType<T>, request?: RequestOptions) => Promise<T>;
  tell: (path: string, request: RequestOptions) => Promise<void>;
}

export function accountsClient({ ask, tell }: Ports): AccountsClient {
  const path = (...parts: string[]): string => ['/api', ...parts.map(encodeURIComponent)].join('/');
  return {
    me: () => ask(path('session'), sessionState),
    users: async () => (await ask(path('users'), userList)).users,
    addUser: (name) => ask(path('users', name), userView, { method: 'PUT' }),
    removeUser: (name) => tell(path('users', name), { method: 'DELETE' }),
    grant: (name, project, role) => ask(path('users', name, 'grants', project), userView, { method: 'PUT', body: { role } }),
    revoke: (name, project) => ask(path('users', name, 'grants', project), userView, { method: 'DELETE' }),
    tokens: async () => (await ask(path('tokens'), tokenList)).tokens,
    createToken: (body) => ask(path('tokens'), createdToken, { method: 'POST', body }),
    revokeToken: (id) => tell(path('tokens', id), { method: 'DELETE' }),
    audit: async (page = {}) => (await ask(path('audit'), auditList, { query: page })).entries,
  };
}
