import type { RunPlan, PlannedNode } from '../resolved/run-plan.ts';
import { parseCloudChoice } from './cloud-choice.ts';

/** What a cloud has said of itself. What it has not said is not known. */
export interface CloudOffers {
  name: string;
  quota?: Partial<Record<Counted, { used: number; max: number | null } | undefined>> | undefined;
  /** In the order in which launches choose. */
  offers?: readonly Offer[] | undefined;
}

type Counted = 'machines' | 'cpus' | 'memoryMiB';

interface Offer {
  name: string;
  cpus: number;
  memoryMiB: number;
  diskGiB?: number | undefined;
  price: { amount: number; currency: string } | null;
}

/** Some machines of a node on one cloud. */
export interface EstimatedShare {
  node: string;
  cloud: string;
  count: number;
  /** The size that they get; null when the cloud does not say which it has. */
  offer: string | null;
  /** For an hour and all of them; null when it is not known. */
  price: { amount: number; currency: string } | null;
}

export interface RunEstimate {
  shares: EstimatedShare[];
  /** For an hour, by currency, of what has a known price. */
  perHour: Record<string, number>;
  /** Machines whose price nobody knows: they are not for nothing. */
  unpriced: number;
  /** What will not work as it is planned: too little quota, or no size that is large enough. */
  problems: string[];
}

/** What a run would cost and take where its machines are tried first. Pure: the clouds have been asked before. */
export function estimateRun(plan: RunPlan, clouds: readonly CloudOffers[]): RunEstimate {
  const names = clouds.map(({ name }) => name);
  const estimate: RunEstimate = { shares: [], perHour: {}, unpriced: 0, problems: [] };
  const wanted = new Map<string, Record<Counted, number>>();
  for (const [node, planned] of Object.entries(plan.nodes)) {
    for (const [cloud, count] of machinesByCloud(planned, names)) {
      const offers = clouds.find(({ name }) => name === cloud)?.offers;
      const offer = offers?.find((each) => isEnough(each, planned));
      if (offers !== undefined && offer === undefined) estimate.problems.push(`${node}: no size of machines of ${cloud} is large enough`);
      const price = offer?.price ? { ...offer.price, amount: offer.price.amount * count } : null;
      estimate.shares.push({ node, cloud, count, offer: offer?.name ?? null, price });
      if (price === null) estimate.unpriced += count;
      else estimate.perHour[price.currency] = (estimate.perHour[price.currency] ?? 0) + price.amount;
      const sum = wanted.get(cloud) ?? { machines: 0, cpus: 0, memoryMiB: 0 };
      sum.machines += count;
      sum.cpus += count * (offer?.cpus ?? 0);
      sum.memoryMiB += count * (offer?.memoryMiB ?? 0);
      wanted.set(cloud, sum);
    }
  }
  for (const { name, quota } of clouds) estimate.problems.push(...overQuota(name, wanted.get(name), quota));
  return estimate;
}

function machinesByCloud({ cloud, multiplicity }: PlannedNode, names: readonly string[]): Map<string, number> {
  const choice = parseCloudChoice(cloud, names);
  const counts = new Map<string, number>();
  if (multiplicity === 0 || choice === undefined) return counts;
  if (choice.kind === 'order') return counts.set(choice.clouds[0] ?? cloud, multiplicity);
  const turn = choice.shares.reduce((total, { count }) => total + count, 0);
  const rounds = Math.floor(multiplicity / turn);
  let rest = multiplicity % turn;
  for (const share of choice.shares) {
    const last = Math.min(rest, share.count);
    rest -= last;
    const count = rounds * share.count + last;
    if (count > 0) counts.set(share.cloud, (counts.get(share.cloud) ?? 0) + count);
  }
  return counts;
}

function isEnough(offer: Offer, { image: { resources } }: PlannedNode): boolean {
  const { cpus = 0, memoryMiB = 0, diskGiB = 0 } = resources;
  return offer.cpus >= cpus && offer.memoryMiB >= memoryMiB && (offer.diskGiB ?? diskGiB) >= diskGiB;
}

const words: Record<Counted, string> = { machines: 'machines', cpus: 'CPUs', memoryMiB: 'MiB of memory' };

function overQuota(cloud: string, wanted: Record<Counted, number> | undefined, quota: CloudOffers['quota'] = {}): string[] {
  return (['machines', 'cpus', 'memoryMiB'] as const).flatMap((what) => {
    const limit = quota[what];
    if (wanted === undefined || limit === undefined || limit.max === null) return [];
    const left = Math.max(0, limit.max - limit.used);
    return wanted[what] > left ? [`${cloud}: ${wanted[what]} ${words[what]} are wanted, and ${left} of ${limit.max} are left`] : [];
  });
}
