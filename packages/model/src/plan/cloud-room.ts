import type { PlannedNode } from '../resolved/run-plan.ts';

/** What a cloud has said of itself. What it has not said is not known. */
export interface CloudOffers {
  name: string;
  /** Why it cannot be used at all. */
  closed?: string;
  quota?: Partial<Record<Counted, { used: number; max: number | null } | undefined>> | undefined;
  /** In the order in which launches choose. */
  offers?: readonly Offer[] | undefined;
}

/** What clouds count. */
type Counted = 'machines' | 'cpus' | 'memoryMiB';

export interface Offer {
  name: string;
  cpus: number;
  memoryMiB: number;
  diskGiB?: number | undefined;
  /** For an hour. */
  price: { amount: number; currency: string } | null;
}

type Machine = Pick<PlannedNode, 'image'>;

const words: Record<Counted, string> = { machines: 'machines', cpus: 'CPUs', memoryMiB: 'MiB of memory' };
const counted = Object.keys(words) as Counted[];

/** The size that machines of a node get on a cloud; undefined when nothing is large enough, or the cloud does not say what it has. */
export function offerFor({ image: { resources } }: Machine, cloud: CloudOffers | undefined): Offer | undefined {
  const { cpus = 0, memoryMiB = 0, diskGiB = 0 } = resources;
  return cloud?.offers?.find((offer) => offer.cpus >= cpus && offer.memoryMiB >= memoryMiB && (offer.diskGiB ?? diskGiB) >= diskGiB);
}

/** What is left of a cloud while the machines of one run are placed. What is not known is enough. */
export class CloudRoom {
  readonly #cloud: CloudOffers;
  readonly #taken: Record<Counted, number> = { machines: 0, cpus: 0, memoryMiB: 0 };

  constructor(cloud: CloudOffers) {
    this.#cloud = cloud;
  }

  get name(): string {
    return this.#cloud.name;
  }

  /** Machines of the run that have been placed here. */
  get machines(): number {
    return this.#taken.machines;
  }

  /** Of one machine of a node for an hour; undefined when it is not known. */
  priceOf(node: Machine): NonNullable<Offer['price']> | undefined {
    return offerFor(node, this.#cloud)?.price ?? undefined;
  }

  /** How many more machines of a node there is room for; infinite where there is no limit, or none is known. */
  for(node: Machine): number {
    if (this.#cloud.closed !== undefined || this.#isTooSmall(node)) return 0;
    const each = this.#each(node);
    return Math.min(...counted.map((what) => (each[what] === 0 ? Number.POSITIVE_INFINITY : Math.floor(this.#left(what) / each[what]))));
  }

  take(node: Machine, count: number): void {
    const each = this.#each(node);
    for (const what of counted) this.#taken[what] += count * each[what];
  }

  /** Why there is no room for so many machines of a node. */
  shortage(node: Machine, count: number): string {
    if (this.#cloud.closed !== undefined) return `${this.name} cannot be used: ${this.#cloud.closed}`;
    if (this.#isTooSmall(node)) return `no size of machines of ${this.name} is large enough`;
    const each = this.#each(node);
    const short = counted.filter((what) => count * each[what] > this.#left(what));
    const lacks = short.map(
      (what) => `${this.#left(what)} of ${this.#max(what)} ${words[what]} left for it, and ${count * each[what]} are wanted`,
    );
    return `${this.name} has ${lacks.join(', and ')}`;
  }

  #isTooSmall(node: Machine): boolean {
    return this.#cloud.offers !== undefined && offerFor(node, this.#cloud) === undefined;
  }

  #each(node: Machine): Record<Counted, number> {
    const { cpus = 0, memoryMiB = 0 } = offerFor(node, this.#cloud) ?? node.image.resources;
    return { machines: 1, cpus, memoryMiB };
  }

  #left(what: Counted): number {
    return Math.max(0, this.#max(what) - (this.#cloud.quota?.[what]?.used ?? 0) - this.#taken[what]);
  }

  #max(what: Counted): number {
    return this.#cloud.quota?.[what]?.max ?? Number.POSITIVE_INFINITY;
  }
}
