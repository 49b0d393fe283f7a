import { randomUUID } from 'node:crypto';
import type { ActiveRun, ScaleRequest } from '@paceline/engine';
import { PacelineError } from '@paceline/model';

/** What `/run/<uuid>/<key>` is about when the key has no colon: a node, whose machines come and go (reference 2.6). */
export function isNodeOf({ run }: ActiveRun, key: string): boolean {
  return !key.includes(':') && Object.hasOwn(run.plan.nodes, key);
}

/** The instances of a node, by name. */
export function instancesOf({ run }: ActiveRun, node: string): string {
  return [...run.instances.values()]
    .filter((instance) => instance.node === node && !instance.dropped && !instance.removing)
    .map(({ name }) => name)
    .join(',');
}

/**
 * Adds machines, as `n=3` says, or one. @returns the names of the new instances
 * @param by who asks
 * @throws PACELINE_REQUEST_INVALID for another form
 */
export async function addInstances(active: ActiveRun, node: string, body: string, by: string | undefined): Promise<string> {
  const form = new URLSearchParams(body.trim());
  const count = form.get('n');
  const isEmpty = [...form].length === 0;
  if (!isEmpty && (count === null || !/^\d{1,6}$/.test(count)))
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'The form has to say `n`: a number of machines to add');
  refuseOthers(form, ['n']);
  const wish: ScaleRequest['wish'] = { add: isEmpty ? 1 : Number(count) };
  return (await active.scale({ id: randomUUID(), node, wish }, {}, by)).join(',');
}

/**
 * Removes those that `ids=1,2` names; with `delete-ids-only=true` at once and without a word to recipes.
 * @param by who asks
 * @throws PACELINE_REQUEST_INVALID for another form
 */
export async function removeInstances(active: ActiveRun, node: string, body: string, by: string | undefined): Promise<void> {
  const form = new URLSearchParams(body.trim());
  refuseOthers(form, ['ids', 'delete-ids-only']);
  const ids = form.get('ids') ?? '';
  if (!/^\s*\d{1,9}(\s*,\s*\d{1,9})*\s*$/.test(ids))
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'The form has to say `ids`: the numbers of machines, separated by commas');
  const wish: ScaleRequest['wish'] = { removeIds: ids.split(',').map(Number) };
  await active.scale({ id: randomUUID(), node, wish }, { atOnce: form.get('delete-ids-only') === 'true' }, by);
}

/** Nothing that somebody wishes is passed over in silence. @throws PACELINE_REQUEST_INVALID */
function refuseOthers(form: URLSearchParams, known: readonly string[]): void {
  const other = [...form.keys()].find((name) => !known.includes(name));
  if (other === undefined) return;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `The form says \`${other}\`, which means nothing here`, {
    hint: `It may have ${known.map((name) => `\`${name}\``).join(' and ')}.`,
  });
}
