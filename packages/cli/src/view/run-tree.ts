import type { InstanceView, RunDetail } from '@paceline/api';
import {
  type Colour,
  columnsOf,
  elapsed,
  harmlessLine,
  instanceLine,
  interestOf,
  type Line,
  progressOf,
  statusOf,
  type Theme,
} from '@paceline/door';
import { asciiSigns, unicodeSigns, type Signs } from './signs.ts';

export interface TreeOptions {
  theme: Theme;
  /** Milliseconds since the epoch. */
  now: number;
  /** The most lines that there is room for. */
  rows?: number;
}

/** With more instances than this, the nodes that have many show counts and only the instances to look at. */
const fewInstances = 20;
const shownPerNode = 5;

/** A run as a tree: its state, its nodes, their instances. */
export function runTree(run: RunDetail, { theme, now, rows = Number.POSITIVE_INFINITY }: TreeOptions): Line[] {
  const signs = theme.unicode ? unicodeSigns : asciiSigns;
  const lines: Line[] = [headLine(run, signs, now)];
  if (run.abort !== null)
    lines.push([['red', `${signs.failed} aborted by ${harmlessLine(run.abort.source)}: ${harmlessLine(run.abort.reason)}`]]);
  const nodes = Map.groupBy(run.instances, ({ node }) => node);
  const alone = columnsOf([...nodes.values()].filter(({ length }) => length === 1).flat());
  const collapse = run.instances.length > fewInstances;
  let left = nodes.size;
  for (const [node, instances] of nodes) {
    left -= 1;
    const lead = left === 0 ? signs.last : signs.branch;
    const trunk = left === 0 ? signs.gap : signs.trunk;
    const only = instances[0];
    // The one instance of a node says all that there is to say of the node; a run of an image has nothing but its machine.
    if (instances.length === 1 && only !== undefined) lines.push([['dim', lead], ...instanceLine(only, alone)]);
    else lines.push(...nodeLines(node, instances, collapse, signs).map((line, at): Line => [['dim', at === 0 ? lead : trunk], ...line]));
  }
  if (lines.length <= rows) return lines;
  const shown = Math.max(1, rows - 1);
  return [...lines.slice(0, shown), [['dim', `${signs.gap}and ${lines.length - shown} lines more`]]];
}

function headLine(run: RunDetail, signs: Signs, now: number): Line {
  const { state } = run;
  const ended = run.endedAt !== null;
  const end = ended ? Date.parse(run.endedAt ?? '') : now;
  const progress = progressOf(run);
  const colour = colourOfState(run);
  const sign =
    state === 'Done' || (state === 'Ready' && run.abort === null) ? `${signs.done} ` : state === 'Aborted' ? `${signs.failed} ` : '';
  return [
    ['bold', harmlessLine(run.name)],
    ['dim', ` ${run.id.slice(0, 8)}`],
    '  ',
    [colour, sign + state],
    ...(progress === undefined ? [] : [`  ${progress.done} of ${progress.all}`]),
    ['dim', `  ${elapsed(end - Date.parse(run.createdAt))}`],
  ];
}

function colourOfState({ state, abort }: RunDetail): Colour {
  if (state === 'Aborted' || abort !== null) return 'red';
  if (state === 'Cancelled') return 'yellow';
  return state === 'Ready' || state === 'Done' ? 'green' : 'cyan';
}

function nodeLines(node: string, instances: InstanceView[], collapse: boolean, signs: Signs): Line[] {
  const collapsed = collapse && instances.length > shownPerNode;
  const shown = collapsed ? mostInteresting(instances) : instances;
  const columns = columnsOf(shown);
  const head: Line = collapsed ? [node, `  ${instances.length}: `, ...counts(instances)] : [node];
  return [
    head,
    ...shown.map((instance, at): Line => [
      ['dim', at === shown.length - 1 ? signs.last : signs.branch],
      ...instanceLine(instance, columns),
    ]),
  ];
}

function mostInteresting(instances: InstanceView[]): InstanceView[] {
  const marked = instances.filter((instance) => interestOf(instance) > 0);
  return marked.toSorted((a, b) => interestOf(b) - interestOf(a)).slice(0, shownPerNode);
}

function counts(instances: InstanceView[]): Line {
  const groups = Map.groupBy(instances, (instance) => statusOf(instance).word);
  return [...groups]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .flatMap(([word, members], at): Line => {
      const [first] = members;
      const colour = first === undefined ? 'plain' : statusOf(first).colour;
      return [...(at === 0 ? [] : [', ']), [colour, `${members.length} ${word}`]];
    });
}
