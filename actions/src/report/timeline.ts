import type { EventView } from '@paceline/api';

interface Bar {
  name: string;
  from: number;
  to: number;
  kind: 'done' | 'crit' | 'active';
}

const shownInstances = 25;
/** GitHub draws no larger picture. */
const mostBytes = 45_000;

/** What a run did when, as a Gantt chart in Mermaid: its states, and of each machine the boot and the steps. Empty without states. */
export function timeline(events: readonly EventView[], now: number): string {
  const states = stateBars(events, now);
  if (states.length === 0) return '';
  const instances = instanceBars(events, now);
  const shown = [...instances].slice(0, shownInstances);
  const rest = instances.size - shown.length;
  const lines = ['gantt', '  dateFormat x', '  axisFormat %H:%M:%S', '  section Run', ...states.map(barLine)];
  for (const [instance, bars] of shown) {
    const section = [`  section ${instance}`, ...bars.map(barLine)];
    if (Buffer.byteLength([...lines, ...section].join('\n')) > mostBytes) break;
    lines.push(...section);
  }
  const more = rest > 0 ? `\n_and ${rest} more machines_\n` : '';
  return `\`\`\`mermaid\n${lines.join('\n')}\n\`\`\`\n${more}`;
}

function stateBars(events: readonly EventView[], now: number): Bar[] {
  const states = events.filter(({ type }) => type === 'run.state');
  return states.flatMap(({ at, message }, index): Bar[] => {
    const next = states[index + 1];
    if (['Done', 'Aborted', 'Cancelled'].includes(message)) return [];
    return [{ name: message, from: Date.parse(at), to: next === undefined ? now : Date.parse(next.at), kind: next ? 'done' : 'active' }];
  });
}

function instanceBars(events: readonly EventView[], now: number): Map<string, Bar[]> {
  const bars = new Map<string, Bar[]>();
  const open = new Map<string, Bar>();
  const begin = (instance: string, key: string, name: string, at: number): void => {
    const bar: Bar = { name, from: at, to: now, kind: 'active' };
    open.set(`${instance} ${key}`, bar);
    bars.set(instance, [...(bars.get(instance) ?? []), bar]);
  };
  const end = (instance: string, key: string, at: number, kind: Bar['kind']): void => {
    const bar = open.get(`${instance} ${key}`);
    if (bar !== undefined) Object.assign(bar, { to: at, kind });
    open.delete(`${instance} ${key}`);
  };
  for (const { type, at, message, data } of events) {
    const { instance, status, step } = data;
    if (typeof instance !== 'string') continue;
    const time = Date.parse(at);
    if (type === 'instance.machine' && status === 'launched') begin(instance, 'boot', 'boot', time);
    if (type === 'instance.joined') end(instance, 'boot', time, 'done');
    if (type !== 'instance.step' || typeof step !== 'string') continue;
    if (status === 'started') begin(instance, step, message.replace(`${instance}: `, '').replace(/ started$/, ''), time);
    else end(instance, step, time, status === 'done' ? 'done' : 'crit');
  }
  return bars;
}

/** Mermaid reads a colon, a semicolon or a hash as its own. */
function barLine({ name, kind, from, to }: Bar): string {
  return `  ${name.replace(/[^\w .()/-]/g, '_').slice(0, 60)} :${kind}, ${from}, ${Math.max(to, from + 1)}`;
}
