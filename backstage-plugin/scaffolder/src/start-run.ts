import { setTimeout as pause } from 'node:timers/promises';
import type { Client, CreatedRun, RunRequest } from '@paceline/api';
import { isPacelineError } from '@paceline/model';

const tries = 5;
const pauseMs = 1000;

/**
 * Starts a run. When the answer is lost the request is made again: with the same id it starts no second one.
 * @throws what the server says, PACELINE_UNREACHABLE when it does not answer five times in a row, and the reason of the signal
 */
export async function startRun(
  client: Client,
  request: RunRequest & { id: string },
  signal: AbortSignal | undefined,
): Promise<CreatedRun['run']> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await client.runs.create(request)).run;
    } catch (error) {
      if (attempt === tries || !isPacelineError(error) || error.code !== 'PACELINE_UNREACHABLE') throw error;
    }
    await pause(pauseMs * attempt, undefined, { ...(signal === undefined ? {} : { signal }) });
  }
}

/** Whether the server has said that there is no such run and will be none, whatever was asked for. */
export function isRefusal(error: unknown): boolean {
  return (
    isPacelineError(error) &&
    ['PACELINE_REQUEST_INVALID', 'PACELINE_CLOUD_UNKNOWN', 'PACELINE_NO_ROOM', 'PACELINE_OVER_BUDGET'].includes(error.code)
  );
}
