import type { PlannedParameter, RunPlan } from '@paceline/model';

/** The plan as it is kept: the first values of secrets are among the run's parameters, which are stored under a cipher, and nowhere else. */
export function withoutSecrets(plan: RunPlan): RunPlan {
  return {
    ...plan,
    globals: mapValues(plan.globals, hidden),
    nodes: mapValues(plan.nodes, (node) => {
      const parameters = mapValues(node.parameters, hidden);
      const own = mapValues(node.image.parameters, (spec, name) => {
        if (parameters[name]?.secret !== true) return spec;
        const { default: _secret, ...rest } = spec;
        return rest;
      });
      return { ...node, parameters, image: { ...node.image, parameters: own } };
    }),
  };
}

function hidden(parameter: PlannedParameter): PlannedParameter {
  if (!parameter.secret) return parameter;
  const { value: _secret, ...rest } = parameter;
  return rest;
}

function mapValues<V, W>(record: Record<string, V>, map: (value: V, key: string) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
