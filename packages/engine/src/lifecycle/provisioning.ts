import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { abortChanges } from './abort.ts';

/** An instance cannot come up: tolerated while its node allows more failures, an abort of the run otherwise. */
export function dropOrAbort(run: Run, instance: Instance, reason: string, now: number): Change[] {
  if (instance.dropped) return [];
  const allowed = run.plan.nodes[instance.node]?.maxProvisioningFailures ?? 0;
  let failed = 0;
  for (const other of run.instances.values()) if (other.node === instance.node && other.dropped) failed += 1;
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
