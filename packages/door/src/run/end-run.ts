import { setTimeout as pause } from 'node:timers/promises';
import type { Client, RunDetail } from '@paceline/api';
import { PacelineError } from '@paceline/model';

const tries = 10;
const pauseMs = 500;

/**
 * Ends a run. A request that comes while the server reads the run again from its store may change nothing: it is repeated until
 * the run is on its way to an end.
 * @returns the run as it is then
 * @throws PACELINE_TIMEOUT when it does not get there
 */
export async function endRun(client: Client, run: string): Promise<RunDetail> {
  for (let attempt = 1; ; attempt++) {
    const found = await client.runs.terminate(run);
    if (found.outcome !== null || found.endedAt !== null) return found;
    if (attempt === tries) {
      throw new PacelineError('PACELINE_TIMEOUT', `The server has not begun to end the run ${run}: nobody drives it at this moment`, {
        hint: `Try again: paceline down ${run}`,
      });
    }
    await pause(pauseMs);
  }
}
