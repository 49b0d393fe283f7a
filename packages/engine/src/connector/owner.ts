/** Who a machine belongs to. Becomes tags on everything that a connector creates. */
export interface Owner {
  /** The engine's own id, so that two engines in one account never touch each other's machines. */
  engine: string;
  run: string;
  node: string;
}

/** Selects by tags; what is left out matches all. */
export interface OwnerQuery {
  engine: string;
  run?: string;
  token?: string;
}
