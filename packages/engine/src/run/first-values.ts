import type { RunPlan } from '@paceline/model';
import type { Parameter, Run } from './run.ts';

/**
 * The first values of secrets are not kept in a plan. For machines that may come later they are among the parameters, which are
 * stored under a cipher, as those of an instance with the number 0, which no instance has.
 */
export function seeds(plan: RunPlan): [key: string, parameter: Parameter][] {
  if (plan.scalable !== true) return [];
  return Object.entries(plan.nodes).flatMap(([node, { parameters }]) =>
    Object.entries(parameters).flatMap(([name, { value, secret }]): [string, Parameter][] =>
      secret && value !== undefined ? [[seedKey(node, name), { value, secret }]] : [],
    ),
  );
}

/** What the parameters of a new instance of a node begin with, by name. */
export function firstValues(run: Run, node: string): [name: string, parameter: Parameter][] {
  return Object.entries(run.plan.nodes[node]?.parameters ?? {}).flatMap(([name, { value, secret }]): [string, Parameter][] => {
    const first = secret ? run.parameters.get(seedKey(node, name))?.value : value;
    return first === undefined ? [] : [[name, { value: first, secret }]];
  });
}

function seedKey(node: string, name: string): string {
  return `${node}.0:${name}`;
}
