import { suggest } from '../parameters/suggestion.ts';
import { machineNode } from '../parameters/key.ts';
import type { Budget } from '../resolved/budget.ts';
import type { KeepRunning, ResolvedDeployment } from '../resolved/deployment.ts';

/** What the user asks of a run, beyond what the deployment says. */
export interface RunRequest {
  /**
   * Values by name: `NAME` of the deployment, `node:NAME` of an image's input, and `node:multiplicity`, `node:cloud`
   * (or `node:cloudservice`), `node:max-provisioning-failures`. In the run of one image, `NAME` is an input of it.
   */
  parameters?: Readonly<Record<string, string>>;
  /** Cloud of every node for which `parameters` says nothing else. */
  cloud?: string;
  keepRunning?: KeepRunning;
  /** Machines may be added and removed while the run is ready. */
  scalable?: boolean;
  /** Longest time in one transition state, in milliseconds. */
  timeoutMs?: number;
  /** Hard end of every machine, in milliseconds after the start. */
  lifetimeMs?: number;
  /** The most that it may cost, instead of what the deployment says. */
  budget?: Budget;
  /** Names that a cloud may have; without the list every name is taken. `any` is always allowed. */
  knownClouds?: readonly string[];
}

export interface RequestProblem {
  /** The key of the request, or the parameter that lacks a value. */
  parameter: string;
  message: string;
  hint?: string;
  /** Only the name of a cloud is wrong. */
  cloud?: true;
}

export type Refuse = (parameter: string, message: string, hint?: string, cloud?: true) => void;

/** The values of a request, sorted by what they are for; whatever fits nowhere is refused. */
export interface SortedValues {
  globals: Map<string, string>;
  /** Inputs by node. */
  inputs: Map<string, Map<string, string>>;
  /** `multiplicity`, `cloud` and `max-provisioning-failures` by node. */
  settings: Map<string, Map<string, string>>;
}

const settingNames: Readonly<Record<string, string>> = {
  multiplicity: 'multiplicity',
  cloud: 'cloud',
  cloudservice: 'cloud',
  'max-provisioning-failures': 'max-provisioning-failures',
};

export function sortValues(deployment: ResolvedDeployment, values: Readonly<Record<string, string>>, refuse: Refuse): SortedValues {
  const sorted: SortedValues = { globals: new Map(), inputs: new Map(), settings: new Map() };
  const single = deployment.kind === 'Image';
  for (const [key, value] of Object.entries(values)) {
    const colon = key.indexOf(':');
    const name = key.slice(colon + 1);
    const scope = colon !== -1 ? key.slice(0, colon) : single ? machineNode : 'ss';
    if (scope === 'ss') {
      if (sortGlobal(deployment, key, name, refuse)) sorted.globals.set(name, value);
      continue;
    }
    const node = Object.hasOwn(deployment.nodes, scope) ? deployment.nodes[scope] : undefined;
    if (node === undefined) {
      const [, base] = /^(\w+)\.\d+$/.exec(scope) ?? [];
      if (base !== undefined && Object.hasOwn(deployment.nodes, base)) {
        refuse(key, `Values are given to a node, not to one of its instances: ${key}`, `Write \`${base}:${name}\`.`);
      } else {
        refuse(key, `Unknown node: ${scope}`, suggest(scope, Object.keys(deployment.nodes)));
      }
      continue;
    }
    const spec = Object.hasOwn(node.image.parameters, name) ? node.image.parameters[name] : undefined;
    const setting = Object.hasOwn(settingNames, name) ? settingNames[name] : undefined;
    if (spec === undefined && setting === undefined) {
      const inputs = Object.keys(node.image.parameters).filter((one) => !node.image.parameters[one]?.output);
      refuse(key, `Unknown parameter: ${name} in node: ${scope}`, suggest(name, [...inputs, ...Object.keys(settingNames)]));
    } else if (spec?.output) {
      refuse(key, `${key} is an output: the scripts of ${node.image.module} set it.`);
    } else {
      const kind = spec === undefined ? sorted.settings : sorted.inputs;
      const ofNode = kind.get(scope) ?? new Map<string, string>();
      kind.set(scope, ofNode.set(spec === undefined ? (setting ?? name) : name, value));
    }
  }
  return sorted;
}

function sortGlobal({ parameters, nodes }: ResolvedDeployment, key: string, name: string, refuse: Refuse): boolean {
  const spec = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (spec === undefined) {
    const owner = Object.keys(nodes).find((node) => Object.hasOwn(nodes[node]?.image.parameters ?? {}, name));
    refuse(
      key,
      `Unknown parameter: ${name}`,
      owner === undefined ? suggest(name, Object.keys(parameters)) : `Did you mean \`${owner}:${name}\`?`,
    );
  } else if (spec.output) {
    refuse(key, `${key} is an output: scripts set it.`);
  } else {
    return true;
  }
  return false;
}
