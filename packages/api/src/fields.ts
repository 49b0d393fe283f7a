import type { ModuleContent } from './modules.ts';

type Deployment = ModuleContent['deployment'];
export type ParameterSpec = Deployment['parameters'][string];

/** One thing that the user may say about a run. */
export interface Field {
  /** As a request names it: `NAME`, or `NODE:NAME` for an input of a node that nothing else sets. */
  key: string;
  label: string;
  spec: ParameterSpec;
}

/** The form of a deployment: its own parameters, then the inputs of nodes that it leaves open. What recipes set is not asked. */
export function fieldsOf({ kind, parameters, nodes }: Pick<Deployment, 'kind' | 'parameters' | 'nodes'>): Field[] {
  const own = Object.entries(parameters).map(([key, spec]) => ({ key, label: key, spec }));
  const open = Object.entries(nodes).flatMap(([node, { image, parameters: set }]) =>
    Object.entries(image.parameters)
      .filter(([name, spec]) => set[name] === undefined && (spec.required === true || kind === 'Image'))
      .map(([name, spec]) => ({ key: `${node}:${name}`, label: kind === 'Image' ? name : `${name} of ${node}`, spec })),
  );
  return [...own, ...open].filter(({ spec }) => spec.output !== true);
}

/** What differs from the defaults. */
export function givenValues(fields: readonly Field[], values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap(({ key, spec }) => {
      const value = values[key];
      return value === undefined || value === (spec.default ?? '') ? [] : [[key, value]];
    }),
  );
}

export function isSecret({ type, secret }: ParameterSpec): boolean {
  return secret === true || type === 'password';
}
