import type { EventView } from '@paceline/api';
import { harmlessLine, LogLines, type RunView } from '@paceline/door';
import type { LoggerService } from '@backstage/backend-plugin-api';

/** So many lines of output go to a task, which keeps them in the database of Backstage. */
const mostLines = 2000;
const levels = { info: 'info', warning: 'warn', error: 'error' } as const satisfies Record<EventView['severity'], keyof LoggerService>;

/** Shows a run in the log of a task. */
export function taskView(logger: LoggerService): RunView {
  const pieces = new LogLines();
  let lines = 0;
  const print = (instance: string, text: string): void => {
    lines += 1;
    if (lines < mostLines) logger.info(`${instance} | ${text}`);
    else if (lines === mostLines) logger.info('More output is on the page of the run.');
  };
  return {
    wantsDetails: false,
    detail: () => {},
    event: ({ severity, message, type }) => {
      if (type !== 'instance.step' && type !== 'parameter.set') logger[levels[severity]](harmlessLine(message));
    },
    log: (piece) => pieces.push(piece).forEach(({ instance, text }) => print(instance, text)),
    note: (text) => logger.warn(text),
    close: () => pieces.flush().forEach(({ instance, text }) => print(instance, text)),
  };
}
