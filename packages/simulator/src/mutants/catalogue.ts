import { agentMutants } from './agent-mutants.ts';
import { machineMutants } from './machine-mutants.ts';
import type { Edit, Mutant } from './mutant.ts';
import { runMutants } from './run-mutants.ts';
import { storeMutants } from './store-mutants.ts';

/** Mistakes that the simulator has to find. */
export const mutants: readonly Mutant[] = [...storeMutants, ...machineMutants, ...runMutants, ...agentMutants];

/** The edits that a mistake is made of. */
export function editsOf({ also, ...mutant }: Mutant): Edit[] {
  return [mutant, ...(also === undefined ? [] : [also])];
}

/** @throws Error unless what is searched for is there once */
export function edited(source: string, { file, search, replace }: Edit): string {
  const [before, after, ...more] = source.split(search);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`in ${file} there is not one place any more that reads ${search}`);
  return before + replace + after;
}
