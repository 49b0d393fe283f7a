import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { ConnectorError, type Tags, type TerminateResult } from '@paceline/engine/connector';
import type { Account } from './account.ts';
import { isUnknown } from './failure.ts';
import { describeInstances } from './inventory.ts';
import { removeGroups } from './security-group.ts';
import { tagsIn } from './tags.ts';

const over = ['shutting-down', 'terminated'];

/** Ends machines; their disks and interfaces go with them, and the groups of a run with its last machine. */
export async function terminateMachines(account: Account, ids: readonly string[], signal: AbortSignal): Promise<TerminateResult[]> {
  const instances = await describeInstances(account, ids, signal);
  const foreign = instances.find(({ Tags }) => tagsIn(Tags) === undefined);
  if (foreign !== undefined) {
    throw new ConnectorError('forbidden', `${foreign.InstanceId} is not a machine of ours: it does not carry our tags`);
  }
  const going = instances.flatMap(({ InstanceId, State }) =>
    InstanceId === undefined || over.includes(State?.Name ?? '') ? [] : [InstanceId],
  );
  const states = new Map(instances.map(({ InstanceId, State }) => [InstanceId ?? '', State?.Name]));
  if (going.length > 0) {
    const { TerminatingInstances } = await account
      .ask('end machines', signal, (client, options) => client.send(new TerminateInstancesCommand({ InstanceIds: going }), options))
      .catch(orLookAgain);
    for (const { InstanceId, CurrentState } of TerminatingInstances ?? []) states.set(InstanceId ?? '', CurrentState?.Name);
  }
  const gone = (id: string): boolean => !states.has(id) || states.get(id) === 'terminated';
  const owners = new Map<string, Tags['owner']>();
  for (const { InstanceId, Tags } of instances) {
    const owner = tagsIn(Tags)?.owner;
    if (owner !== undefined && gone(InstanceId ?? '')) owners.set(`${owner.engine} ${owner.run}`, owner);
  }
  for (const owner of owners.values()) await removeGroups(account, owner, signal);
  return ids.map((id) => ({ id, gone: gone(id) }));
}

/** One that has gone meanwhile fails the call for all. */
function orLookAgain(error: unknown): never {
  if (!isUnknown(error)) throw error;
  throw new ConnectorError('unavailable', 'Some of the machines have gone meanwhile', { cause: error });
}
