import { Buffer } from 'node:buffer';
import { checkAborted } from '@paceline/connector-host';
import {
  checkLimits,
  ConnectorError,
  type ConnectorContext,
  type LaunchRequest,
  type Machine,
  type MachineRequest,
} from '@paceline/engine/connector';
import { hostProgram } from './host-program.ts';
import { fittingHosts, wantedLabels, type Host } from './inventory.ts';
import { leaseId, machineId, parseLeases, machineOf, recordOf, type Lease } from './lease.ts';
import { isSilence } from './host-health.ts';
import type { Site } from './site.ts';

export const limits = { userDataBytes: 64 * 1024, maxBatch: 256 };

/** How long hosts are waited for that were taken in vain. */
const giveBackMs = 30_000;

/**
 * Takes a host for each machine: those that an earlier launch with the same token has taken already stay; all of the others are
 * taken, or none. A host that does not answer is passed over.
 */
export async function launchMachines(site: Site, request: LaunchRequest, context: ConnectorContext): Promise<Machine[]> {
  checkRequest(request);
  const unknown = wantedLabels(request.image).filter((label) => !site.hosts.some(({ labels }) => labels.includes(label)));
  if (unknown.length > 0) {
    throw new ConnectorError('invalid', `No host of this cloud has the label ${unknown.join(', ')}`, {
      hint: 'See `labels` of its hosts.',
    });
  }
  const fitting = fittingHosts(site.hosts, request);
  const said = await Promise.allSettled(fitting.map((host) => listLeases(site, host, context)));
  checkAborted(context.signal, 'launch');
  const there = new Map<string, Machine>();
  const candidates: Host[] = [];
  const why: Refusals = { full: 0, reasons: [] };
  for (const [at, host] of fitting.entries()) {
    const answer = said[at];
    if (answer?.status === 'rejected') {
      refuse(why, answer.reason);
    } else {
      const leases = answer?.value ?? [];
      for (const lease of leases) there.set(lease.id, machineOf(host, lease));
      const free = host.slots - leases.filter(({ state }) => state !== 'restarted').length;
      // A host is asked once for each of its free slots; one that seems full may have leases at their end.
      for (let slot = 0; slot < Math.max(free, 1); slot++) candidates.push(host);
    }
  }
  const taken: Machine[] = [];
  const results = await Promise.allSettled(
    request.machines.map(async (machine) => {
      const found = there.get(leaseId(request, machine));
      if (found !== undefined) return found;
      const made = await takeOne(site, request, machine, candidates, why, context);
      if (made !== undefined) taken.push(made);
      return made;
    }),
  );
  const machines = results.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []));
  if (machines.length === request.machines.length) {
    return machines;
  }
  await giveBack(site, taken, context);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  checkAborted(context.signal, 'launch');
  throw noRoom(site, request, fitting.length, machines.length, why);
}

export async function listLeases(site: Site, host: Host, context: ConnectorContext): Promise<Lease[]> {
  return site.memory.list(host, async () =>
    parseLeases(await site.health.watch(host, context, () => site.calls.ask(host, ['list'], context.signal))),
  );
}

interface Refusals {
  full: number;
  reasons: string[];
}

function refuse(why: Refusals, error: unknown): void {
  if (!isSilence(error)) throw error;
  if (!why.reasons.includes(error.message)) why.reasons.push(error.message);
}

/** Tries one host after the other; those who look for a host at the same time share the candidates. */
async function takeOne(
  site: Site,
  request: LaunchRequest,
  machine: MachineRequest,
  candidates: Host[],
  why: Refusals,
  context: ConnectorContext,
): Promise<Machine | undefined> {
  const id = leaseId(request, machine);
  // Up to the second: the host counts in seconds.
  const expires = Math.ceil(request.expiresAt.getTime() / 1000);
  const record = recordOf(request, machine, context.now());
  const variables = { program: hostProgram.trim(), user_data: Buffer.from(machine.userData).toString('base64') };
  for (let host = candidates.shift(); host !== undefined && !context.signal.aborted; host = candidates.shift()) {
    const asked = host;
    const words = ['take', id, asked.slots, expires, JSON.stringify(record), asked.isolation, asked.node];
    try {
      const answer = await site.memory.take(asked, record, expires * 1000, () =>
        site.health.watch(asked, context, () => site.calls.ask(asked, words, context.signal, variables)),
      );
      if (answer.trim() === 'taken') {
        return machineOf(asked, { id, state: 'pending', expiresAt: expires * 1000, record });
      }
      why.full += 1;
    } catch (error) {
      // The answer may be lost, not the question: a lease nobody knows of must not stay.
      await giveBack(site, [{ id: machineId({ host: asked.name, lease: id, expires }) }], context);
      refuse(why, error);
    }
  }
  return undefined;
}

/** What cannot be given back now ends by itself, and the engine looks for it before. Nobody may wait for the launch any more. */
async function giveBack(site: Site, machines: readonly { id: string }[], context: ConnectorContext): Promise<void> {
  const patient = { ...context, signal: AbortSignal.timeout(giveBackMs) };
  await Promise.allSettled(machines.map(({ id }) => site.drop(id, patient)));
}

function noRoom(site: Site, request: LaunchRequest, fitting: number, found: number, { full, reasons }: Refusals): ConnectorError {
  const labels = wantedLabels(request.image);
  const what = labels.length === 0 ? '' : ` with ${labels.join(', ')}`;
  const rest = [
    `${fitting} of ${site.hosts.length} hosts fit`,
    ...(full === 0 ? [] : [`${full} of them are taken`]),
    ...reasons.slice(0, 5),
    ...(reasons.length > 5 ? [`and ${reasons.length - 5} more`] : []),
  ];
  return new ConnectorError('capacity', `Hosts needed${what}: ${request.machines.length}, to be had: ${found}. ${rest.join('; ')}`, {
    hint: 'Wait until others are done, add hosts to the clouds file, or ask for fewer machines.',
  });
}

function checkRequest(request: LaunchRequest): void {
  checkLimits(request, limits);
  for (const { name, userData } of request.machines) {
    if (userData[0] !== 0x23 || userData[1] !== 0x21) {
      throw new ConnectorError('invalid', `The user data of ${name} does not begin with #!`, {
        hint: 'There is no cloud-init on hosts that are there already: their user data is a script.',
      });
    }
  }
}
