import type { Command } from 'commander';
import type { Shell } from '../shell.ts';

type Action<Options> = (args: string[], options: Options, shell: Shell) => Promise<number>;

/**
 * Adds a command to the command line.
 * @param usage its name and arguments, @param summary one line, @param examples one a line
 * @param load gives what it does; loaded when it runs, so that help comes at once
 */
export type MakeCommand = <Options extends object>(
  usage: string,
  summary: string,
  examples: string,
  load: () => Promise<Action<Options>>,
) => Command;

/** The options of commands that make a plan of a run. */
export function runOptions(command: Command): Command {
  return command
    .option(
      '-p, --parameter <key=value>',
      'value of a parameter: NAME, NODE:NAME, NODE:multiplicity, NODE:cloud; may be repeated',
      gather,
      [],
    )
    .option('--parameters-file <file>', 'YAML file of parameters')
    .option('--cloud <name>', 'cloud of every node that is not told otherwise')
    .option('--budget <amount>', 'the most that it may cost: 10EUR for all of it, 2EUR/h for an hour; may be repeated', gather, [])
    .option('--known-prices', 'with a budget: refuse machines of unknown price');
}

/** For options that may be repeated. */
export function gather(value: string, all: string[]): string[] {
  return [...all, value];
}
