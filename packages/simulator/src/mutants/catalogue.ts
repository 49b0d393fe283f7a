import { agentMutants } from './agent-mutants.ts';
import { machineMutants } from './machine-mutants.ts';
import type { Mutant } from './mutant.ts';
import { runMutants } from './run-mutants.ts';
import { storeMutants } from './store-mutants.ts';

/** Mistakes that the simulator has to find. */
export const mutants: readonly Mutant[] = [...storeMutants, ...machineMutants, ...runMutants, ...agentMutants];

/** @throws Error unless what is searched for is there once */
export function mutated(source: string, { name, search, replace }: Mutant): string {
  const [before, after, ...more] = source.split(search);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`the mutant '${name}' does not fit its source any more`);
  return before + replace + after;
}
