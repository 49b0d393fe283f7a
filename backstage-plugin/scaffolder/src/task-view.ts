import type { EventView } from '@paceline/api';
import { harmlessLine, LogLines, type RunView } from '@paceline/door';
import type { Level, TaskLog } from './task-log.ts';

/** So many lines of output go to a task, which keeps them in the database of Backstage. */
const mostLines = 2000;
const levels = { info: 'info', warning: 'warn', error: 'error' } as const satisfies Record<EventView['severity'], Level>;

/** Shows a run in the log of a task. */
export function taskView(log: TaskLog): RunView {
  const pieces = new LogLines();
  let lines = 0;
  const print = (instance: string, text: string): void => {
    lines += 1;
    if (lines < mostLines) log.say('info', `${instance} | ${text}`);
    else if (lines === mostLines) log.say('info', 'More output is on the page of the run.');
  };
  return {
    wantsDetails: false,
    detail: () => {},
    event: ({ severity, message, type }) => {
      if (type !== 'instance.step' && type !== 'parameter.set') log.say(levels[severity], harmlessLine(message));
    },
    log: (piece) => pieces.push(piece).forEach(({ instance, text }) => print(instance, text)),
    note: (text) => log.note(text),
    close: () => pieces.flush().forEach(({ instance, text }) => print(instance, text)),
  };
}
