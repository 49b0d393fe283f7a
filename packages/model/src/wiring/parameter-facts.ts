import { instanceName, parseKey, qualifyKey, type InstanceRef, machineNode } from '../parameters/key.ts';
import { suggest } from '../parameters/suggestion.ts';
import { absentOnMachine, globalNames, instanceLevelNames, nodeLevelNames } from '../parameters/system.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import type { ParameterSpec } from '../resolved/parameter.ts';
import type { RunPlan } from '../resolved/run-plan.ts';
import type { Finding } from '../source/diagnostic.ts';
import type { Call } from './flow.ts';

/** What is known of the parameters of a run before it starts. */
export interface ParameterFacts {
  /** The instances that stand for each node: the first ones, and those that a key names. */
  instances(node: string): readonly InstanceRef[];
  /** The full keys that a call means on an instance: one, or of `ss-get-all` one for each instance. */
  keysOf(call: Call, me: InstanceRef): string[];
  /** Why a call cannot work on an instance of a node; undefined when its key is declared. */
  wrong(call: Call, me: InstanceRef): Finding | undefined;
  /** Has a value from the start of the run. */
  isGiven(key: string): boolean;
  /** May be given one when the run starts. */
  mayBeGiven(key: string): boolean;
  /** There is such an instance in every run. */
  isCertain(instance: string): boolean;
  /** The key itself, the key that it follows by a mapping, the one that this follows, and so on. */
  chain(key: string): string[];
}

/** So many instances of a node behave like any number of them. */
const enough = 3;

/** The only one of the parameters of every run that scripts have to set, so that others may wait for it. */
const serviceName = 'url.service';

export function parameterFacts(deployment: ResolvedDeployment, plan: RunPlan | undefined, named: ReadonlySet<string>): ParameterFacts {
  const { nodes, parameters: globals, kind } = deployment;
  const single = kind === 'Image';
  const specOf = (node: string, name: string): ParameterSpec | undefined => {
    const specs = nodes[node]?.image.parameters ?? {};
    return Object.hasOwn(specs, name) ? specs[name] : undefined;
  };
  const countOf = (node: string): number | undefined => {
    const planned = plan?.nodes[node]?.multiplicity ?? nodes[node]?.multiplicity;
    return typeof planned === 'number' ? planned : undefined;
  };
  /** So many there are at least. */
  const leastOf = (node: string): number => {
    const count = countOf(node);
    if (count !== undefined) return count;
    const [, name = ''] = /^\s*parameters\.(\w+)\s*$/.exec(String(nodes[node]?.multiplicity)) ?? [];
    return (Object.hasOwn(globals, name) ? globals[name]?.minimum : undefined) ?? 0;
  };
  const instances = (node: string): InstanceRef[] => {
    const count = countOf(node);
    const indexes = new Set(Array.from({ length: Math.min(count ?? 2, enough) }, (_, index) => index + 1));
    for (const instance of named) {
      const [owner, index] = instance.split('.');
      if (owner === node && Number(index) <= (count ?? Number.POSITIVE_INFINITY)) indexes.add(Number(index));
    }
    return [...indexes].map((index) => ({ node, index }));
  };
  const place = (key: string): { node: string; name: string } | undefined => {
    const parsed = parseKey(key);
    if (parsed?.kind === 'machine') return { node: machineNode, name: parsed.name };
    return parsed?.kind === 'instance' || parsed?.kind === 'node' ? { node: parsed.node, name: parsed.name } : undefined;
  };
  const source = (key: string): string | undefined => {
    const at = place(key);
    if (at === undefined) return undefined;
    const written = plan ? plan.nodes[at.node]?.parameters[at.name] : nodes[at.node]?.parameters[at.name];
    const from = written && 'from' in written ? written.from : undefined;
    return from === undefined || parseKey(from) === undefined ? undefined : qualifyKey(from, { node: at.node, index: 1 });
  };

  return {
    instances,
    keysOf({ command, key, node }, me) {
      if (command !== 'ss-get-all') return [qualifyKey(key, me)];
      return instances(node ?? '').map((instance) => `${instanceName(instance)}:${key}`);
    },
    wrong({ command, key, node, conditional }, me) {
      const written = command === 'ss-get-all' ? `${node}:${key}` : key;
      const parsed = parseKey(written);
      if (parsed === undefined)
        return {
          message: `\`${written}\` is not the key of a parameter.`,
          hint: 'A key is NAME, NODE:NAME, NODE.N:NAME or ss:NAME.',
        };
      if (parsed.kind === 'orchestrator')
        return {
          message: `There is no orchestrator: \`${written}\` does not exist.`,
          hint: 'Set and read parameters of nodes, or of the run (`ss:NAME`).',
        };
      if (parsed.kind === 'global') {
        if (globalNames.has(parsed.name) || Object.hasOwn(globals, parsed.name)) return undefined;
        return {
          message: `The run has no parameter \`${written}\`.`,
          hint:
            suggest(
              written,
              [...Object.keys(globals), ...globalNames].map((name) => `ss:${name}`),
            ) ?? 'Declare it in the `parameters` of the deployment.',
        };
      }
      const owner = parsed.kind === 'own' ? me.node : parsed.kind === 'machine' ? machineNode : parsed.node;
      // Recipes that work alone and in a deployment ask `ss:category` first.
      if (conditional && (single || parsed.kind === 'machine') && (!Object.hasOwn(nodes, owner) || absentOnMachine.has(parsed.name)))
        return undefined;
      if (!Object.hasOwn(nodes, owner)) {
        if (parsed.kind === 'machine') return { message: `\`${written}\`: there is a node \`machine\` only when an image runs alone.` };
        return {
          message: single ? `There is no node \`${owner}\` when the image runs alone.` : `There is no node \`${owner}\`.`,
          hint: suggest(owner, Object.keys(nodes)),
        };
      }
      const { name } = parsed;
      if (single && absentOnMachine.has(name))
        return {
          message: `\`${name}\` does not exist when the image runs alone.`,
          hint: 'Test `ss-get ss:category` first.',
        };
      if (nodeLevelNames.has(name) || instanceLevelNames.has(name)) return undefined;
      const count = countOf(owner);
      if (parsed.kind === 'instance' && count !== undefined && parsed.index > count) {
        return {
          severity: 'warning',
          message: `There is no \`${owner}.${parsed.index}\`: \`${owner}\` has ${count} ${count === 1 ? 'machine' : 'machines'}.`,
        };
      }
      if (specOf(owner, name) !== undefined) return undefined;
      const { image } = nodes[owner] ?? {};
      return {
        message: `The image \`${image?.module}\` has no parameter \`${name}\`.`,
        hint: `${suggest(name, [...Object.keys(image?.parameters ?? {}), ...instanceLevelNames, ...nodeLevelNames]) ?? 'Declare it in the `parameters` of the image.'} An unknown key aborts the run.`,
      };
    },
    isGiven(key) {
      const parsed = parseKey(key);
      if (parsed?.kind === 'global') {
        if (globalNames.has(parsed.name)) return parsed.name !== serviceName;
        const spec = Object.hasOwn(globals, parsed.name) ? globals[parsed.name] : undefined;
        return plan ? plan.globals[parsed.name]?.value !== undefined : hasFirstValue(spec);
      }
      const at = place(key);
      if (at === undefined) return true;
      if (nodeLevelNames.has(at.name)) return true;
      const spec = specOf(at.node, at.name);
      if (spec === undefined && at.name === serviceName) return false;
      // What is not declared is another problem than what is not set.
      if (instanceLevelNames.has(at.name) || spec === undefined) return true;
      if (plan) return plan.nodes[at.node]?.parameters[at.name]?.value !== undefined;
      const written = nodes[at.node]?.parameters[at.name];
      if (written === undefined) return hasFirstValue(spec);
      return 'expression' in written || ('value' in written && written.value !== '');
    },
    mayBeGiven(key) {
      if (plan) return false;
      const parsed = parseKey(key);
      const at = place(key);
      const spec = parsed?.kind === 'global' ? globals[parsed.name] : at && specOf(at.node, at.name);
      return spec !== undefined && spec.output !== true && source(key) === undefined;
    },
    isCertain(instance) {
      const [node = instance, index = '1'] = instance.split('.');
      return Number(index) <= leastOf(node);
    },
    chain(key) {
      const keys = [key];
      for (let next = source(key); next !== undefined && !keys.includes(next); next = source(next)) keys.push(next);
      return keys;
    },
  };
}

function hasFirstValue(spec: ParameterSpec | undefined): boolean {
  return spec !== undefined && (spec.required === true || (spec.default !== undefined && spec.default !== ''));
}
