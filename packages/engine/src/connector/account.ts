/** Who a credential belongs to. */
export interface Account {
  account: string;
  regions: string[];
}

/** What a credential may have at once, and has, of those things that the cloud counts. */
export type Quota = Partial<
  Record<'machines' | 'cpus' | 'memoryMiB', { used: number; /** Null where there is no limit. */ max: number | null }>
>;

/** A size of machine that can be had. */
export interface Offer {
  name: string;
  cpus: number;
  memoryMiB: number;
  /** The root disk; left out where it is as large as is asked for. */
  diskGiB?: number;
  /** For an hour; null when it is not known, which is not the same as nothing. */
  price: { amount: number; currency: string } | null;
}
