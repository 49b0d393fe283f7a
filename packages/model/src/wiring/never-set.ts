import { machineNode, parseKey } from '../parameters/key.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import type { Script } from '../resolved/image.ts';
import type { Finding } from '../source/diagnostic.ts';
import type { Range } from '../source/source-text.ts';
import { callsOf, isSet } from './flow.ts';
import type { ParameterFacts } from './parameter-facts.ts';
import { blockingPhases, type RecipeScript } from './recipes.ts';
import { stepsOf, type Timeline } from './timeline.ts';

export interface NeverSet {
  /** Keys that no script sets and that have no value, whether or not that is certain enough to be reported. */
  neverSet: ReadonlySet<string>;
  findings: (Finding & { script: Script; range: Range })[];
}

/** Finds waits for values that nothing gives: no first value, no mapping that leads to one, no script. */
export function findNeverSet(
  deployment: ResolvedDeployment,
  recipes: ReadonlyMap<string, readonly RecipeScript[]>,
  timelines: readonly Timeline[],
  facts: ParameterFacts,
): NeverSet {
  const steps = timelines.flatMap(stepsOf);
  const set = new Set(steps.filter(({ call }) => isSet(call)).flatMap(({ keys }) => keys));
  const neverSet = new Set<string>();
  const findings: NeverSet['findings'] = [];
  const elsewhere = [...recipes.values()].flat().some(({ parsed }) => parsed.setsElsewhere);
  for (const { call, keys, script } of steps) {
    if (!call.blocking || call.possible) continue;
    for (const key of keys) {
      const followed = facts.chain(key);
      if (followed.some((one) => set.has(one) || facts.isGiven(one))) continue;
      neverSet.add(key);
      const root = followed.at(-1) ?? key;
      const owner = ownerOf(root);
      const readers = owner === undefined ? [...recipes.values()].flat() : (recipes.get(owner) ?? []);
      // What cannot be read may set it: say nothing rather than something wrong.
      if (elsewhere || readers.some(({ parsed }) => parsed.mayAlsoSet)) continue;
      const outsiders = deployment.onStall === 'wait';
      const certain = !call.conditional && !call.tolerant && !outsiders && !readers.some(({ parsed }) => parsed.runsOthers);
      findings.push({
        script,
        range: call.range,
        severity: certain ? 'error' : 'warning',
        ...explain(deployment, call.key, key, root, readers),
      });
    }
  }
  return { neverSet, findings };
}

function ownerOf(key: string): string | undefined {
  const parsed = parseKey(key);
  if (parsed?.kind === 'machine') return machineNode;
  return parsed?.kind === 'instance' || parsed?.kind === 'node' ? parsed.node : undefined;
}

function explain(
  { nodes, parameters, onStall }: ResolvedDeployment,
  written: string,
  key: string,
  root: string,
  readers: readonly RecipeScript[],
): Finding {
  const name = parseKey(root)?.name ?? root;
  const owner = ownerOf(root);
  const follows = root === key ? '' : ` It follows \`${owner}:${name}\`.`;
  const late = readers.find(
    ({ phase, parsed }) =>
      !blockingPhases.includes(phase) &&
      callsOf(parsed.flow).some((call) => call.command === 'ss-set' && parseKey(call.key)?.name === name),
  );
  if (late !== undefined) {
    return {
      message: `Nothing sets \`${written}\` in time.${follows}`,
      hint: `It is set in ${late.script.path} (${late.phase}), which runs only after every deploy script has ended.`,
    };
  }
  const spec = owner === undefined ? parameters[name] : nodes[owner]?.image.parameters[name];
  const ways = [
    owner === undefined
      ? `set it in a script (\`ss-set ss:${name} …\`)`
      : `set it in a script of \`${nodes[owner]?.image.module}\` (\`ss-set ${name} …\`)`,
  ];
  if (spec !== undefined) ways.push('give it a default');
  if (spec !== undefined && !spec.output) {
    if (owner !== undefined && owner !== machineNode) ways.push('map it');
    ways.push(`give it when the run starts (\`${owner === undefined || owner === machineNode ? '' : `${owner}:`}${name}=…\`)`);
  }
  const list = ways.length === 1 ? `${ways[0]}.` : `${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}.`;
  const then = onStall === 'wait' ? 'this waits until somebody outside sets it' : 'this would wait until its timeout, then fail';
  return {
    message: `Nothing sets \`${written}\`: ${then}.${follows}`,
    hint: list.charAt(0).toUpperCase() + list.slice(1),
  };
}
