import { fileURLToPath } from 'node:url';
import { PacelineError } from '@paceline/model';

/** Whether this is the built command; else it is its sources, run by Node as they are. */
const built = import.meta.url.includes('/dist/') || import.meta.url.endsWith('.mjs');

/** How this very program is started again. */
export function programCommand(): string[] {
  if (built) return [process.execPath, fileURLToPath(new URL('./paceline.mjs', import.meta.url))];
  return [process.execPath, '--conditions=@paceline/source', fileURLToPath(new URL('./main.ts', import.meta.url))];
}

/** The agent bundle that machines fetch: beside the built command. */
export function agentPath(): string {
  return fileURLToPath(new URL(built ? './agent.cjs' : '../../../vm-agent/dist/agent.cjs', import.meta.url));
}

/** The pages that a server has for browsers: beside the built command. */
export function dashboardPath(): string {
  return fileURLToPath(new URL(built ? './dashboard' : '../../dashboard/dist', import.meta.url));
}

/** A failure of the installation itself, which no argument can mend. */
export function brokenInstallation(what: string, cause: unknown): PacelineError {
  return new PacelineError('PACELINE_INTERNAL', what, { cause, hint: 'Install paceline again.' });
}
