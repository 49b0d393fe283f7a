import {
  formatDuration,
  type OverviewNode,
  type OverviewParameter,
  type PlanOverview,
  type WiringEdge,
  type WiringReport,
} from '@paceline/model';
import { harmlessLine, type Line } from '@paceline/door';

const origins: Record<OverviewParameter['origin'], string> = {
  request: 'given',
  constant: 'from the deployment',
  expression: 'worked out',
  mapping: 'mapped',
  default: 'default',
  script: 'set by a script',
  none: 'not set',
};

const shownInstances = 6;

/** A plan for people: what would be started where, what it would do, and who would tell whom what. */
export function overviewLines(overview: PlanOverview, wiring: WiringReport): Line[] {
  const { name, title, machines, nodes, keepRunning, timeoutMs, lifetimeMs, parameters } = overview;
  const lines: Line[] = [
    [['bold', name], ...(title === undefined || title === name ? [] : [`  ${harmlessLine(title)}`])],
    [
      `${machines} ${machines === 1 ? 'machine' : 'machines'}, keepRunning ${keepRunning}, timeout ${formatDuration(timeoutMs)}, lifetime ${formatDuration(lifetimeMs)}`,
    ],
  ];
  if (parameters.length > 0) lines.push([''], ['Parameters'], ...parameterLines(parameters));
  for (const node of nodes) lines.push([''], ...nodeLines(node));
  if (wiring.edges.length > 0) lines.push([''], ['Wiring'], ...wiring.edges.map(edgeLine));
  return lines;
}

function nodeLines({ name, instances, cloud, image, resources, ports, steps, hooks, parameters }: OverviewNode): Line[] {
  const { cpus, memoryMiB, diskGiB } = resources;
  const size = [
    cpus && `${cpus} CPU`,
    memoryMiB && `${memoryMiB} MiB`,
    diskGiB && `${diskGiB} GiB disk`,
    ports.length > 0 && `ports ${ports.map(({ port }) => port).join(', ')}`,
  ];
  const rest = instances.length - shownInstances;
  const lines: Line[] = [
    [['bold', name], `  ${instances.length} × ${image.module} on ${cloud}`],
    ['  ', ['dim', size.filter(Boolean).join(', ')]],
    ['  ', instances.slice(0, shownInstances).join(' '), rest > 0 ? ` and ${rest} more` : ''],
    ...steps.map((step, at): Line => [
      `  ${at + 1}. ${step.label}: `,
      step.path ?? step.packages?.join(' ') ?? '',
      ['dim', `  (${step.module})`],
    ]),
    ...hooks.map((hook): Line => [`  on scaling: ${hook.label}: ${hook.path ?? ''}`]),
    ...parameterLines(parameters),
  ];
  return lines.filter((line) => line.some((piece) => (typeof piece === 'string' ? piece : piece[1]).trim() !== ''));
}

function parameterLines(parameters: readonly OverviewParameter[]): Line[] {
  return parameters.map(({ name, value, from, origin, secret }): Line => {
    const shown =
      from !== undefined
        ? `<- ${from}`
        : secret && origin !== 'none' && origin !== 'script'
          ? '***'
          : value === undefined
            ? ''
            : harmlessLine(value);
    return ['  ', name, shown === '' ? '' : from === undefined ? ` = ${shown}` : ` ${shown}`, ['dim', `  ${origins[origin]}`]];
  });
}

function edgeLine({ from, to, parameter, via }: WiringEdge): Line {
  return [
    `  ${from} -> ${to}: ${via === 'global' ? `ss:${parameter}` : parameter}`,
    ['dim', `  ${via === 'mapping' ? 'mapped' : via === 'read' ? 'read by a script' : 'through the run'}`],
  ];
}
