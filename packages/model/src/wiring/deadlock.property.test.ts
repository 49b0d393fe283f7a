import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planRun } from '../plan/plan-run.ts';
import type { ResolvedDeployment, ResolvedNode } from '../resolved/deployment.ts';
import type { Layer, ScriptPhase } from '../resolved/image.ts';
import type { RunPlan } from '../resolved/run-plan.ts';
import type { Diagnostic } from '../source/diagnostic.ts';
import { checkWiring } from './check-wiring.ts';

/** A command of a script, and how it is written there. */
interface Line {
  do: 'get' | 'get-all' | 'set' | 'program' | 'leave';
  /** The key as it is written; of `get-all` the name. */
  key: string;
  node: string;
  guise: Guise;
  /** What comes of it where nobody knows: a branch is taken, a program sets everything. */
  fate: boolean;
}

interface Node {
  name: string;
  count: number;
  /** The deployment leaves the count to whoever starts the run, and promises so many. */
  promised: number | undefined;
  errexit: boolean;
  lines: Line[];
  /** Where the script goes on in another one; six scripts at most. */
  cuts: number[];
  inputs: Record<string, string | undefined>;
}

const guises = {
  plain: (text: string) => text,
  'for ever': (text: string) => text.replace(/^(ss-get\S*)/, '$1 --timeout 0'),
  'for long': (text: string) => text.replace(/^(ss-get\S*)/, '$1 --timeout 600'),
  shortly: (text: string) => text.replace(/^(ss-get\S*)/, '$1 --timeout 5'),
  'not at all': (text: string) => text.replace(/^(ss-get\S*)/, '$1 --noblock'),
  bounded: (text: string) => `timeout 5 ${text}`,
  tolerant: (text: string) => `${text} || true`,
  'or exit': (text: string) => `${text} || exit 1`,
  'or say and exit': (text: string) => `${text} || { echo "no value" >&2; exit 1; }`,
  tested: (text: string) => `if ${text}; then :; fi`,
  negated: (text: string) => `! ${text}`,
  first: (text: string) => `${text} && echo done`,
  assigned: (text: string) => `x=$(${text})`,
  'assigned with others': (text: string) => `x=$(${text})$(date)`,
  exported: (text: string) => `export x="$(${text})"`,
  said: (text: string) => `echo "$(${text})"`,
  piped: (text: string) => `${text} | cat`,
  branch: (text: string) => `if [ -e /x ]; then ${text}; fi`,
  'short branch': (text: string) => `test -e /x && ${text}`,
  background: (text: string) => `${text} &`,
  subshell: (text: string) => `(${text})`,
  group: (text: string) => `{ ${text}; } > /dev/null`,
  function: (text: string) => `f() { ${text}; }\nf`,
  'function of another name': (text: string) => `retry() { "$@"; }\nretry ${text}`,
  'shifting function': (text: string) => `often() { shift; "$@"; }\noften 3 ${text}`,
  loop: (text: string) => `for i in 1 2; do ${text}; done`,
  'endless loop': (text: string) => `while test -e /x; do ${text}; done`,
  'by a variable': (text: string) => `$SUDO ${text}`,
  'in a shell': (text: string) => `bash -c '${text}'`,
  trap: (text: string) => `trap '${text}' USR1`,
  comment: (text: string) => `# ${text}`,
  'for later': (text: string) => `cat > later.sh <<'EOF'\n${text}\nEOF`,
  'in words': (text: string) => `echo "${text}"`,
};
type Guise = keyof typeof guises;

const textOf = ({ do: what, key, node, guise }: Line): string => {
  if (what === 'program') return './setup.sh';
  if (what === 'leave') return '[ -e /x ] && exit 0';
  return guises[guise](what === 'get' ? `ss-get ${key}` : what === 'get-all' ? `ss-get-all ${node} ${key}` : `ss-set ${key} 1`);
};

const phases: readonly ScriptPhase[] = ['preInstall', 'postInstall', 'deploy'];
const outputs = ['o1', 'o2'];
const globals = ['g1', 'g2'];

function deploymentOf(nodes: readonly Node[]): ResolvedDeployment {
  const digest = '0'.repeat(64);
  return {
    kind: 'Deployment',
    name: 'all',
    tags: [],
    module: 'all',
    parameters: {
      ...Object.fromEntries(globals.map((name) => [name, { type: 'string', output: true }])),
      ...Object.fromEntries(
        nodes.map(({ name, promised }) => [
          name,
          { type: 'integer', default: '2', ...(promised === undefined || promised === 0 ? {} : { minimum: promised }) },
        ]),
      ),
    },
    nodes: Object.fromEntries(
      nodes.map((node): [string, ResolvedNode] => [
        node.name,
        {
          multiplicity: node.promised === undefined ? node.count : `parameters.${node.name}`,
          cloud: 'any',
          maxProvisioningFailures: 0,
          parameters: Object.fromEntries(
            Object.entries(node.inputs).flatMap(([name, from]) => (from === undefined ? [] : [[name, { from }]])),
          ),
          image: {
            name: node.name,
            module: node.name,
            layers: layersOf(node),
            parameters: {
              ...Object.fromEntries(outputs.map((name) => [name, { type: 'string', output: true }])),
              ...Object.fromEntries(Object.keys(node.inputs).map((name) => [name, { type: 'string' }])),
            },
            resources: {},
            clouds: {},
            ports: [],
            digest,
          },
        },
      ]),
    ),
    keepRunning: 'never',
    timeoutMs: 60_000,
    lifetimeMs: 60_000,
    onStall: 'abort',
    digest,
  };
}

function scriptsOf({ lines, cuts }: Node): Line[][] {
  const places = [0, ...cuts.map((cut) => cut % (lines.length + 1)).sort((a, b) => a - b), lines.length];
  return places.slice(1).map((end, index) => lines.slice(places[index], end));
}

/** The scripts in the order in which they run: phase by phase, in each the ancestor's first. */
function layersOf(node: Node): [Layer, Layer] {
  const scripts = scriptsOf(node);
  const layer = (which: number): Layer => ({
    module: `${node.name}-${which}`,
    packages: [],
    scripts: Object.fromEntries(
      phases.flatMap((phase, index) => {
        const lines = scripts[2 * index + which];
        const text = lines?.map(textOf).join('\n') ?? '';
        return lines === undefined
          ? []
          : [[phase, { path: `${node.name}-${which}/${phase}.sh`, text: `#!/bin/bash${node.errexit ? ' -e' : ''}\n${text}\n` }]];
      }),
    ),
  });
  return [layer(0), layer(1)];
}

interface Op {
  do: 'wait' | 'set' | 'everything' | 'abort';
  keys: string[];
  /** What happens when nobody sets it: nothing, for ever; or a failure of the command. */
  timeout?: 'none' | 'goes on' | 'aborts';
}

/** What a line does on an instance, the way its fate has it. */
function opsOf(line: Line, node: Node, index: number, nodes: readonly Node[]): Op[] | 'end' {
  const { fate, guise } = line;
  if (line.do === 'program') return fate ? [{ do: 'everything', keys: [`${node.name}.${index}:`, 'ss:'] }] : [];
  if (line.do === 'leave') return fate ? 'end' : [];
  const taken = ['branch', 'short branch', 'endless loop', 'for later'].includes(guise)
    ? fate
    : !['comment', 'in words', 'trap'].includes(guise);
  // A shell that is asked to may run it at any time.
  if (!taken && !(guise === 'trap' && fate && line.do === 'set')) return [];
  const full = (key: string): string | undefined => {
    const [owner, name] = key.includes(':') ? key.split(':') : [`${node.name}.${index}`, key];
    if (owner === 'ss') return key;
    const [of = '', at = '1'] = owner?.split('.') ?? [];
    return Number(at) <= (nodes.find((one) => one.name === of)?.count ?? 0) ? `${of}.${at}:${name}` : undefined;
  };
  const members = (name: string): string[] =>
    Array.from({ length: nodes.find((one) => one.name === line.node)?.count ?? 0 }, (_, at) => `${line.node}.${at + 1}:${name}`);
  const keys = line.do === 'get-all' ? members(line.key) : [full(line.key)].filter((key) => key !== undefined);
  if (line.do !== 'get-all' && keys.length === 0) return [{ do: 'abort', keys: [] }];
  if (line.do === 'set') return [{ do: 'set', keys }];
  if (['not at all', 'background', 'for later'].includes(guise)) return [];
  const ends = line.do === 'get' && (['or exit', 'or say and exit'].includes(guise) || (node.errexit && !weak.includes(guise)));
  return [{ do: 'wait', keys, timeout: guise === 'for ever' ? 'none' : ends ? 'aborts' : 'goes on' }];
}
/** Guises under which a failure is no failure of the script, though it is run with `-e`. */
const weak: Guise[] = ['tolerant', 'tested', 'negated', 'first', 'assigned with others', 'exported', 'said', 'piped', 'endless loop'];

/** What each instance does. */
function machinesOf(nodes: readonly Node[]): Op[][] {
  return nodes.flatMap((node) =>
    Array.from({ length: node.count }, (_, index) =>
      scriptsOf(node).flatMap((lines) => {
        const ops = lines.map((line) => opsOf(line, node, index + 1, nodes));
        const end = ops.indexOf('end');
        return ops.slice(0, end === -1 ? undefined : end).flatMap((some) => (some === 'end' ? [] : some));
      }),
    ),
  );
}

/** The key that another one follows. */
function mapping(key: string, nodes: readonly Node[]): string[] {
  const [owner = '', name = ''] = key.split(':');
  const from = nodes.find((node) => node.name === owner.split('.')[0])?.inputs[name];
  return from === undefined ? [] : [from.replace(/^(\w+):/, '$1.1:')];
}

/** Runs all instances until nobody can go on, then lets time pass. */
function run(nodes: readonly Node[], given: ReadonlySet<string>, order: number): { finished: boolean; stuck: boolean } {
  const values = new Set(given);
  const prefixes: string[] = [];
  const has = (key: string): boolean =>
    values.has(key) || prefixes.some((prefix) => key.startsWith(prefix)) || mapping(key, nodes).some(has);
  const machines = machinesOf(nodes);
  let stuck = false;
  for (;;) {
    let moved = false;
    for (const ops of machines) {
      for (let [op] = ops; op !== undefined; [op] = ops) {
        if (op.do === 'abort') return { finished: false, stuck };
        if (op.do === 'wait' && !op.keys.every(has)) break;
        if (op.do === 'set') for (const key of op.keys) values.add(key);
        if (op.do === 'everything') prefixes.push(...op.keys);
        ops.shift();
        moved = true;
      }
    }
    if (moved) continue;
    const waiting = machines.filter((ops) => ops.length > 0);
    stuck ||= waiting.length > 0;
    const late = waiting.filter(([op]) => op?.timeout !== 'none');
    const next = late[order % Math.max(1, late.length)];
    if (next === undefined) return { finished: waiting.length === 0, stuck };
    if (next[0]?.timeout === 'aborts') return { finished: false, stuck };
    next.shift();
  }
}

/** What is said of machines that wait for each other. */
function deadlocks(deployment: ResolvedDeployment, plan?: RunPlan): Diagnostic[] {
  return checkWiring(deployment, plan).problems.filter(({ hint }) => hint?.startsWith('Set what others wait for') === true);
}

const names = ['a', 'b', 'c', 'd'];
/** Some nodes whose scripts wait for and set what they have. */
function systems(guise: fc.Arbitrary<Guise>, noise: boolean): fc.Arbitrary<Node[]> {
  const shape = fc.record({
    count: fc.constantFrom(0, 1, 1, 1, 2, 2, 3, 5),
    promised: noise ? fc.option(fc.nat(5), { nil: undefined, freq: 3 }) : fc.constant(undefined),
    errexit: noise ? fc.boolean() : fc.constant(true),
    from: fc.array(fc.tuple(fc.nat(3), fc.nat(9), fc.constantFrom(...outputs, 'i1', 'i2')), { minLength: 2, maxLength: 2 }),
    cuts: fc.array(fc.nat(9), { maxLength: 5 }),
    lines: fc.array(fc.tuple(fc.nat(9), fc.nat(3), fc.nat(9), fc.nat(9), guise, fc.boolean()), { maxLength: 6 }),
  });
  return fc.array(shape, { minLength: 1, maxLength: 4 }).map((shapes) => {
    const counts = shapes.map(({ count, promised = 0 }) => Math.max(count, promised));
    const ownerOf = (pick: number, at: number): string => {
      const index = pick % shapes.length;
      const count = counts[index] ?? 0;
      return at % 2 === 0 || count === 0 ? `${names[index]}` : `${names[index]}.${1 + (at % count)}`;
    };
    const exists = (pick: number): boolean => (counts[pick % shapes.length] ?? 0) > 0;
    return shapes.map(({ promised, errexit, cuts, from, lines }, index): Node => {
      const inputs: Node['inputs'] = {};
      // A mapping leads to a node further on, so that none leads in a circle.
      for (const [at, [pick, instance, name]] of from.entries()) {
        const later = index + 1 + pick;
        inputs[`i${at + 1}`] = later < shapes.length && exists(later) ? `${ownerOf(later, instance)}:${name}` : undefined;
      }
      const readable = [...outputs, 'i1', 'i2'];
      return {
        name: names[index] ?? '',
        count: counts[index] ?? 0,
        promised,
        errexit,
        cuts,
        inputs,
        lines: lines.flatMap(([kind, pick, at, which, how, fate]): Line[] => {
          const line = (what: Line['do'], key: string): Line[] => [
            { do: what, key, node: names[pick % shapes.length] ?? '', guise: how, fate },
          ];
          if (noise && kind === 9 && which < 3) return line(at % 2 === 0 ? 'program' : 'leave', '');
          if (kind < 4) return line('set', which < 3 ? `ss:${globals[which % 2]}` : `${which === 9 ? 'i1' : outputs[which % 2]}`);
          if (kind === 4)
            return line('get-all', `${readable[which % 4]}`).map((one) => (how === 'plain' && fate ? { ...one, guise: 'for ever' } : one));
          if (kind === 5) return line('get', `ss:${globals[which % 2]}`);
          if (kind === 6) return line('get', `${readable[which % 4]}`);
          return exists(pick) || (noise && fate) ? line('get', `${ownerOf(pick, at)}:${readable[which % 4]}`) : [];
        }),
      };
    });
  });
}

/** The keys that somebody waits for and nobody sets: they count as there, since waiting for them is another mistake. */
function unsettable(nodes: readonly Node[]): Set<string> {
  const ops = machinesOf(nodes).flat();
  const set = new Set(ops.flatMap((op) => (op.do === 'set' ? op.keys : [])));
  const follows = (key: string): string[] => [key, ...mapping(key, nodes).flatMap(follows)];
  return new Set(ops.flatMap((op) => op.keys.filter((key) => !follows(key).some((one) => set.has(one)))));
}

test('of straight scripts it finds every circle, and none where there is none', () => {
  const seen = { stuck: 0, free: 0 };
  fc.assert(
    fc.property(systems(fc.constantFrom('plain', 'for ever', 'for long', 'assigned', 'or exit', 'group'), false), (all) => {
      const nodes = all.map((node) => ({
        ...node,
        lines: node.lines.map((line) => (line.do === 'get-all' ? { ...line, guise: 'for ever' as const } : line)),
      }));
      const { stuck } = run(nodes, unsettable(nodes), 0);
      const deployment = deploymentOf(nodes);
      const found = deadlocks(deployment, planRun(deployment));
      seen[stuck ? 'stuck' : 'free']++;
      expect(found.some(({ severity }) => severity === 'error')).toBe(stuck);
      expect(found.every(({ severity }) => severity === 'error')).toBe(true);
    }),
    { numRuns: 600 },
  );
  expect(Math.min(seen.stuck, seen.free)).toBeGreaterThan(50);
});

test('of scripts of all kinds it calls none stuck that could end', () => {
  const seen = { reported: 0, finished: 0 };
  const odd = fc.constantFrom(...(Object.keys(guises) as Guise[]));
  const guise = fc.oneof({ weight: 3, arbitrary: fc.constant('plain' as const) }, { weight: 1, arbitrary: odd });
  fc.assert(
    fc.property(systems(guise, true), fc.nat(), fc.boolean(), (nodes, order, generous) => {
      const inputs = nodes.flatMap(({ name, count, inputs: own }) =>
        Array.from({ length: count }, (_, at) =>
          Object.keys(own)
            .filter((input) => own[input] === undefined)
            .map((input) => `${name}.${at + 1}:${input}`),
        ).flat(),
      );
      const { finished } = run(nodes, new Set(generous ? inputs : []), order);
      const reported = deadlocks(deploymentOf(nodes)).some(({ severity }) => severity === 'error');
      if (reported) seen.reported++;
      if (finished) seen.finished++;
      expect(reported && finished).toBe(false);
    }),
    { numRuns: 800 },
  );
  expect(Math.min(seen.reported, seen.finished)).toBeGreaterThan(10);
});
