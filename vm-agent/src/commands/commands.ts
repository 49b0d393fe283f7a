import { abort, abortSyntax, cancelAbort, cancelAbortSyntax } from './abort.ts';
import type { CommandBench, CommandCall, CommandRun } from './call.ts';
import { getAll, getAllSyntax } from './get-all.ts';
import { get, getSyntax } from './get.ts';
import { type CommandSyntax, UsageError } from './options.ts';
import { type NotYet, type Reply, failed, output } from './reply.ts';
import { display, displaySyntax, random, randomSyntax, set, setSyntax } from './set.ts';
import { wait, waitSyntax } from './wait.ts';

const commands: Record<string, { run: CommandRun; syntax: CommandSyntax }> = {
  'ss-get': { run: get, syntax: getSyntax },
  'ss-set': { run: set, syntax: setSyntax },
  'ss-abort': { run: abort, syntax: abortSyntax },
  'ss-cancel-abort': { run: cancelAbort, syntax: cancelAbortSyntax },
  'ss-display': { run: display, syntax: displaySyntax },
  'ss-random': { run: random, syntax: randomSyntax },
  'ss-get-all': { run: getAll, syntax: getAllSyntax },
  'ss-wait': { run: wait, syntax: waitSyntax },
};

export const commandNames: string[] = Object.keys(commands);

/** Does not throw: whatever goes wrong is a reply. */
export async function runCommandCall(call: CommandCall, bench: CommandBench): Promise<Reply | NotYet> {
  const command = commands[call.name];
  if (!command) return failed(2, `there is no command ${call.name}`);
  try {
    return await command.run(call, bench);
  } catch (error) {
    if (!(error instanceof UsageError)) return failed(1, (error as Error).message);
    if (error.help) return output(error.message);
    return { code: 2, to: 'err', text: `Usage: ${command.syntax.usage}\n\n${call.name}: error: ${error.message}` };
  }
}
