import { clouds, eventsOf, onlyRun, personWith, projectWith, type CloudName } from '../e2e/connectors/clouds.ts';
import type { Figure } from './table.ts';

/** Says when cloud-init was through, by the clock of the machine. */
const script = [
  '#!/bin/sh',
  'done=/var/lib/cloud/instance/boot-finished',
  'until [ -e $done ]; do sleep 0.05; done',
  'ss-set said "$(stat -c %.3Y $done)"',
].join('\n');

/** Machines of a real cloud of this host: from the command until the run is Ready, and what of it came after cloud-init. */
export async function machines(name: CloudName, counts: readonly number[]): Promise<Figure[]> {
  const { why } = clouds[name];
  if (why !== undefined) return [{ metric: `machines of ${name}`, value: 'not measured', limit: why }];
  const figures: Figure[] = [];
  for (const count of counts) {
    const person = await personWith();
    try {
      const begun = Date.now();
      const project = await projectWith(script);
      const up = await person.type(['up', project, '--cloud', name, '-p', `box:multiplicity=${count}`, '--timeout', '30m']);
      if (up.code !== 0) throw new Error(up.stdout + up.stderr);
      const run = await onlyRun(person);
      const ready = (await eventsOf(person, run.id)).find(({ type, message }) => type === 'run.state' && message === 'Ready');
      const readyAt = Date.parse(ready?.at ?? '');
      const values = await Promise.all(
        Array.from({ length: count }, async (_, at) => (await person.type(['get', run.id, `box.${at + 1}:said`])).stdout),
      );
      const bootedAt = Math.max(...values.map((value) => Number(value) * 1000));
      figures.push({
        metric: `${count} machine${count === 1 ? '' : 's'} of ${name}: command to Ready / after the last cloud-init`,
        value: `${((readyAt - begun) / 1000).toFixed(1)} / ${((readyAt - bootedAt) / 1000).toFixed(2)} s`,
        limit: 'the boot; aim 0.5 s after it',
      });
    } finally {
      await person.leave();
    }
  }
  return figures;
}
