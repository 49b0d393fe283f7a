import type { Client } from '@paceline/api';
import { PacelineError } from '@paceline/model';

/**
 * The run that is meant: the one that is named (by id, the beginning of one, or name), else the only active one.
 * @throws PACELINE_REQUEST_INVALID when nothing is named and there is not exactly one active run
 */
export async function whichRun(client: Client, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const active = await client.runs.list({ active: true, limit: 10 });
  const [only] = active;
  if (only !== undefined && active.length === 1) return only.id;
  const list = active.map(({ id, name, state }) => `  ${id.slice(0, 8)}  ${name}  ${state}`).join('\n');
  throw new PacelineError(
    'PACELINE_REQUEST_INVALID',
    active.length === 0 ? 'There is no active run' : `Several runs are active:\n${list}`,
    {
      hint: active.length === 0 ? 'Name a run; `paceline list` shows all.' : 'Name one of them.',
    },
  );
}
