import { PacelineError } from '@paceline/model';
import type { Run } from '../run/run.ts';
import type { RunListEntry, RunStore } from '../store/run-store.ts';

/**
 * The run that people mean by an id, the beginning of one, or a name (the newest of that name).
 * @throws PACELINE_NOT_FOUND, PACELINE_CONFLICT when it can mean several
 */
export async function whichRun(store: RunStore, text: string, sees: (run: RunListEntry) => boolean = () => true): Promise<string> {
  const found = (await store.find(text)).filter(sees);
  const [first] = found;
  if (first === undefined)
    throw new PacelineError('PACELINE_NOT_FOUND', `There is no run ${text}`, { hint: '`paceline list` shows all runs.' });
  if (first.id !== text && first.name !== text && found.length > 1) {
    throw new PacelineError('PACELINE_CONFLICT', `${text} can mean ${found.map(({ id }) => id).join(', ')}`, {
      hint: 'Give more of its id.',
    });
  }
  return first.id;
}

/** The run as it is stored. @throws PACELINE_NOT_FOUND */
export async function storedRun(store: RunStore, id: string): Promise<Run> {
  const run = await store.run(id);
  if (run === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `There is no run ${id}`);
  return run;
}
