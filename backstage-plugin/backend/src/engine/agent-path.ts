import { resolvePackagePath } from '@backstage/backend-plugin-api';

/** What machines are given to run. The package of this plugin has a copy of its own: see `dev/packages.ts`. */
export function agentPath(): string {
  return resolvePackagePath('@paceline/vm-agent', 'dist/agent.cjs');
}
