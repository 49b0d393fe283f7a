import type { RunRequest } from '@paceline/api';

/** A generated run: what is asked for, and what is known of how it should go. */
export interface System {
  id: string;
  request: RunRequest & { id: string };
  /** Gets Ready when nothing goes wrong. */
  finishable: boolean;
  /** Parameters that people give values to while it runs. */
  userKeys: string[];
  /** The nodes whose machines may come to know a secret, by the parameter that holds it. */
  secrets: Map<string, Set<string>>;
}
