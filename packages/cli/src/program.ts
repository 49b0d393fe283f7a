import { Command, CommanderError, Option } from 'commander';
import { machinesCommands } from './program/machines-commands.ts';
import type { MakeCommand } from './program/make-command.ts';
import { modulesCommands } from './program/modules-commands.ts';
import { runsCommands } from './program/runs-commands.ts';
import { serverCommands } from './program/server-commands.ts';
import type { Shell } from './shell.ts';
import { version } from './version.ts';

export function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof CommanderError;
}

/**
 * The command line. What a command needs is loaded when it runs, so that help comes at once.
 * @param done told the exit code
 */
export function program(shell: Shell, done: (code: number) => void): Command {
  const root = new Command('paceline')
    .description('Runs systems of many machines, and always takes them down again.')
    .version(version, '--version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .addOption(new Option('--server <url>', 'use this server; without it an engine in the background serves you').env('PACELINE_SERVER'))
    .addOption(new Option('--token <token>', 'token for the server (better given as PACELINE_TOKEN: arguments are seen by all)'))
    .addOption(new Option('--state <dir>', 'state directory of the background engine').env('PACELINE_STATE_DIR'))
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({ writeOut: (text) => void shell.stdout.write(text), writeErr: (text) => void shell.stderr.write(text) })
    .showSuggestionAfterError()
    .exitOverride();

  const command: MakeCommand = (usage, summary, examples, load) => {
    const made = root.command(usage).summary(summary).description(summary);
    if (examples !== '') made.addHelpText('after', `\nExamples:\n${examples.replace(/^/gm, '  $ ')}`);
    made.exitOverride().action(async () => {
      const action = await load();
      done(await action(made.args, made.optsWithGlobals(), shell));
    });
    return made;
  };

  root.commandsGroup('Modules:');
  modulesCommands(command);
  root.commandsGroup('Runs:');
  runsCommands(command);
  root.commandsGroup('Machines and images:');
  machinesCommands(command);
  root.commandsGroup('Servers:');
  serverCommands(command);
  return root;
}
