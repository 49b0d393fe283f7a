import type { Account, Offer, Quota } from '@paceline/engine/connector';
import { limitsSchema } from './answers.ts';
import { listFlavors } from './choice.ts';
import type { Config } from './config.ts';
import type { Session } from './session.ts';

async function limitsOf(session: Session, signal: AbortSignal) {
  const { limits } = await session.ask('compute', {
    doing: 'read the limits of the project',
    path: '/limits',
    schema: limitsSchema,
    signal,
  });
  return limits.absolute;
}

export async function probeAccount(session: Session, signal: AbortSignal): Promise<Account> {
  const { name } = await session.project(signal);
  await limitsOf(session, signal);
  return { account: name, regions: [session.region] };
}

export async function readQuota(session: Session, signal: AbortSignal): Promise<Quota> {
  const limits = await limitsOf(session, signal);
  // Nova says -1 for no limit.
  const limit = (used: number, max: number): { used: number; max: number | null } => ({ used, max: max < 0 ? null : max });
  return {
    machines: limit(limits.totalInstancesUsed, limits.maxTotalInstances),
    cpus: limit(limits.totalCoresUsed, limits.maxTotalCores),
    memoryMiB: limit(limits.totalRAMUsed, limits.maxTotalRAMSize),
  };
}

export async function listOffers(session: Session, config: Config, signal: AbortSignal): Promise<Offer[]> {
  const { prices, currency } = config;
  return (await listFlavors(session, config, signal)).map(({ id, name, vcpus, ram, disk }) => {
    const amount = prices[name] ?? prices[id];
    return { name, cpus: vcpus, memoryMiB: ram, diskGiB: disk, price: amount === undefined ? null : { amount, currency } };
  });
}
