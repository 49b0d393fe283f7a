import type { EventView, LogView } from '@paceline/api';
import { timeOfDay } from './elapsed.ts';
import { harmlessLine } from './harmless.ts';
import type { Colour, Line } from './theme.ts';
import { padTo } from './width.ts';

const instanceWidth = 12;
const colours: Record<EventView['severity'], Colour> = { info: 'plain', warning: 'yellow', error: 'red' };

/** An event as one line: time, instance, message. */
export function eventLine({ at, type, severity, message, data }: EventView): Line {
  const instance = typeof data['instance'] === 'string' ? harmlessLine(data['instance']) : '';
  const text = harmlessLine(message);
  // Most messages begin with the instance, which has its column here.
  const begin = [`${instance}: `, `${instance} `].find((lead) => instance !== '' && text.startsWith(lead)) ?? '';
  const rest = text.slice(begin.length);
  const colour = type === 'run.state' ? 'bold' : colours[severity];
  return [['dim', timeOfDay(at)], '  ', padTo(instance, instanceWidth), '  ', [colour, rest]];
}

/** One line that a script wrote, with the instance that it comes from. */
export function logLine({ instance, stream }: Pick<LogView, 'instance' | 'stream'>, text: string): Line {
  return [['dim', `${padTo(instance, instanceWidth)} | `], stream === 'stderr' ? ['yellow', text] : text];
}
