export { buildApp, type AppOptions } from './app.ts';
export type { ConnectionLimits } from './connections.ts';
export { githubPolicy, type GitHubPolicy } from './auth/github-policy.ts';
export { oidcPolicy, type OidcPolicy } from './auth/oidc-policy.ts';
export { isLoopback, openServer, type RunningServer, type ServerOptions } from './serve.ts';
export { StateDirectory } from './state-directory.ts';
