import type { InstanceView } from '@paceline/api';
import { useCallback } from 'react';
import { useLoaded } from '../data/use-loaded.ts';
import { useHost } from '../host.tsx';
import { lookOf, lookWords } from './stage.ts';

/** What is known of one machine, and how to get onto it. */
export function ChosenInstance({ run, instance, onClose }: { run: string; instance: InstanceView; onClose: () => void }) {
  const { client } = useHost();
  const { name, stage, cloud, machineId, address, step, message, abort, fault, connected, blockedIn, disks } = instance;
  // Whether there is such a parameter depends on the cloud.
  const load = useCallback(
    () =>
      client.parameters.get(run, `${name}:url.ssh`).then(
        ({ value }) => value,
        () => null,
      ),
    [client, run, name],
  );
  const { value: ssh } = useLoaded(load);
  const facts: [string, string | null][] = [
    ['State', lookWords[lookOf(instance)]],
    ['Message', message],
    ['Abort', abort ?? fault],
    ['Step', step],
    ['Waits for', blockedIn.join(', ')],
    ['Cloud', cloud],
    ['Machine', machineId],
    ['Address', address],
    ['Disks', disks.map(({ device, gib }) => `${device}, ${gib} GiB`).join('; ')],
    ['Connected', connected ? 'yes' : 'no'],
    ['Shell', stage === 'joined' ? `paceline ssh ${run} ${name}` : null],
    ['SSH', ssh === undefined || ssh === null || ssh === '' ? null : ssh.replace(/^ssh:\/\//, 'ssh ')],
  ];
  return (
    <aside className="pl-chosen" aria-label={name}>
      <div className="pl-title">
        <h2>{name}</h2>
        <button type="button" className="pl-button" onClick={onClose}>
          Close
        </button>
      </div>
      <dl>
        {facts
          .filter(([, value]) => value !== null && value !== '')
          .map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{label === 'SSH' || label === 'Shell' ? <code>{value}</code> : value}</dd>
            </div>
          ))}
      </dl>
    </aside>
  );
}
