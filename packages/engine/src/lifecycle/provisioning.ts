import { instanceOf } from '../run/apply.ts';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { abortChanges } from './abort.ts';

/** An instance cannot come up: tolerated while its node allows more failures, an abort of the run otherwise. */
export function dropOrAbort(run: Run, instance: Instance, reason: string, now: number): Change[] {
  if (instance.dropped || instance.removing) return [];
  const { scaling } = run.facts;
  // Of a scaling, only its own count, and who was there before must not go.
  const candidates = scaling === null ? [...run.instances.values()] : scaling.instances.map((name) => instanceOf(run, name));
  const isNew = scaling === null || (scaling.action === 'vm_create' && scaling.instances.includes(instance.name));
  const allowed = isNew ? (scaling?.tolerated ?? run.plan.nodes[instance.node]?.maxProvisioningFailures ?? 0) : 0;
  let failed = 0;
  for (const other of candidates) if (other.node === instance.node && other.dropped) failed += 1;
  if (run.facts.state !== 'Provisioning' || failed >= allowed) return abortChanges(run, `${instance.name}:abort`, reason, now);
  return [
    { kind: 'instance', name: instance.name, patch: { dropped: true, abort: reason } },
    {
      kind: 'event',
      at: now,
      body: {
        type: 'instance.dropped',
        severity: 'warning',
        message: `${reason}; the run goes on without it (${failed + 1} of ${allowed} tolerated failures)`,
        data: { instance: instance.name },
      },
    },
  ];
}
