/**
 * What other packages may know of the agent: its config, and where its bundle lies. They never import its code.
 * @module
 */
import { fileURLToPath } from 'node:url';

export type { AgentConfig } from './config.ts';

/** The built bundle; `npm run build -w vm-agent` makes it. */
export const agentBundle: string = fileURLToPath(new URL('../dist/agent.cjs', import.meta.url));
