import type { RunRequest } from '@paceline/api';
import type { Random } from '../kernel/random.ts';
import { Exchange, type ExchangeDraft, type NodeDraft } from './exchange.ts';
import { scriptOf, type Action } from './recipe.ts';
import type { System } from './system.ts';

type Deployment = RunRequest['deployment'];
type Node = Deployment['nodes'][string];
type Layer = Node['image']['layers'][number];

const noDigest = '0'.repeat(64);

/** A system that has not been seen before: nodes, scripts that talk to each other, and what people may want of it. */
export function generateSystem(random: Random, clouds: readonly string[]): System {
  const id = random.uuid();
  const count = random.pick([1, 1, 2, 2, 2, 3, 4]);
  const nodes = Array.from({ length: count }, (_, index) => ({
    name: `n${index + 1}`,
    multiplicity: random.pick([0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 5]),
  }));
  const exchange = new Exchange(random, nodes);
  exchange.write(random.whole(0, 5 * count));
  exchange.pry();
  const { draft } = exchange;
  const trouble = addTrouble(random, draft);
  const minutes = random.pick([1, 1, 2, 2, 3, 5, 12]);
  const request = {
    id,
    name: `run-${id.slice(0, 4)}`,
    keepRunning: random.pick(['always', 'on-success', 'on-error', 'never'] as const),
    timeoutMs: minutes * 60_000,
    lifetimeMs: random.pick([1, 3, 15, 15, 60, 60]) * 60_000,
    deployment: {
      kind: 'Deployment' as const,
      name: 'system',
      tags: [],
      module: 'simulated/system',
      parameters: Object.fromEntries([
        ...draft.outputs.map((name) => [name, { type: 'string', output: true }] as const),
        ...draft.userKeys.map((key) => [key.slice('ss:'.length), { type: 'string' }] as const),
      ]),
      nodes: Object.fromEntries(draft.nodes.map((node) => [node.name, nodeOf(random, node, clouds)])),
      keepRunning: 'on-success' as const,
      timeoutMs: 60_000,
      lifetimeMs: 60_000,
      // People may still give a value that everybody waits for.
      onStall: draft.userKeys.length > 0 ? ('wait' as const) : random.pick(['abort', 'abort', 'wait'] as const),
      digest: noDigest,
    },
  };
  return { id, request, finishable: !trouble, userKeys: draft.userKeys, secrets: draft.secrets };
}

/** A share of all systems cannot work. */
function addTrouble(random: Random, { nodes, secrets }: ExchangeDraft): boolean {
  if (!random.chance(0.25)) return false;
  const node = random.pick(nodes.filter(({ multiplicity }) => multiplicity > 0));
  if (node === undefined) return false;
  node.outputs.set('never', false);
  const only = random.chance(0.5) ? { only: random.whole(1, node.multiplicity) } : {};
  const kinds: Action[][] = [
    [{ do: 'fail', ...only }],
    [{ do: 'abort', reason: `${node.name} gives up`, ...only }],
    [
      { do: 'abort', reason: `${node.name} changes its mind`, ...only },
      { do: 'sleep', ms: 2000 },
      { do: 'cancel-abort', ...only },
    ],
    [{ do: 'get', keys: [':never'], ...only }],
    [{ do: 'get', keys: [':undeclared'], ...only }],
  ];
  const other = random.pick(nodes.filter(({ name, multiplicity }) => name !== node.name && multiplicity > 0));
  if (other !== undefined && random.chance(0.2)) {
    // Nothing said that this would be a secret: who waits for it hears that it is none of his business.
    node.outputs.set('whim', false);
    secrets.set(`${node.name}:whim`, new Set([node.name]));
    node.actions.push({ do: 'sleep', ms: 3000 }, { do: 'set', name: 'whim', secret: true });
    other.actions.push({ do: 'get', keys: [`${node.name}.1:whim`] });
    return true;
  }
  node.actions.splice(random.whole(0, node.actions.length), 0, ...(random.pick(kinds) ?? []));
  return true;
}

function nodeOf(random: Random, { name, multiplicity, actions, outputs, inputs }: NodeDraft, clouds: readonly string[]): Node {
  return {
    multiplicity,
    cloud: random.pick(['any', ...clouds]) ?? 'any',
    maxProvisioningFailures: random.pick([0, 0, 1, 2]),
    parameters: Object.fromEntries([...inputs].map(([input, from]) => [input, { from }])),
    image: {
      name,
      module: `simulated/${name}`,
      layers: layersOf(random, name, actions),
      parameters: Object.fromEntries([
        ...[...outputs].map(([output, secret]) => [output, { type: 'string' as const, output: true, ...(secret && { secret }) }] as const),
        ...[...inputs.keys()].map((input) => [input, { type: 'string' as const }] as const),
      ]),
      resources: {},
      clouds: {},
      ports: [],
      digest: noDigest,
    },
  };
}

/** The lines of a node's story, cut into the scripts that a recipe has. */
function layersOf(random: Random, node: string, actions: readonly Action[]): [Layer, ...Layer[]] {
  const cut = random.chance(0.3) ? random.whole(0, actions.length) : 0;
  const parts = { preInstall: actions.slice(0, cut), deploy: actions.slice(cut) };
  const scripts: Layer['scripts'] = {};
  for (const phase of ['preInstall', 'deploy'] as const) {
    if (parts[phase].length > 0 || (phase === 'deploy' && random.chance(0.8)))
      scripts[phase] = { path: `${phase}.sh`, text: scriptOf(parts[phase]) };
  }
  if (random.chance(0.3)) scripts.report = { path: 'report.sh', text: scriptOf([{ do: 'print', bytes: 10 }]) };
  return [{ module: `simulated/${node}`, packages: random.chance(0.1) ? ['curl'] : [], scripts }];
}
