import type { LoggerService } from '@backstage/backend-plugin-api';
import * as z from 'zod';

const thrown = z.object({ stack: z.string().optional(), message: z.string().optional() }).catch({});
const line = z.object({ level: z.number(), msg: z.string().default(''), err: thrown.optional() });
const warning = 40;
const error = 50;

/** Takes what the server logs, JSON lines with the levels of pino, to the log of the plugin. */
export function engineLog(logger: LoggerService): { write(text: string): void } {
  return {
    write(text) {
      const { level, msg, err } = line.parse(JSON.parse(text));
      const said = [msg, err?.stack ?? err?.message].filter((part) => part !== undefined && part !== '').join('\n');
      if (level >= error) logger.error(said);
      else if (level >= warning) logger.warn(said);
      else logger.info(said);
    },
  };
}
