import { Option } from 'commander';
import { type MakeCommand, runOptions } from './make-command.ts';

export function modulesCommands(command: MakeCommand): void {
  command(
    'init [dir]',
    'Write a first project, ready to run',
    'paceline init hello && paceline up hello',
    async () => (await import('../commands/init.ts')).initCommand,
  );

  command(
    'validate [file...]',
    'Check module files and everything they refer to',
    'paceline validate\npaceline validate examples/client-server/deployment.yaml',
    async () => (await import('../commands/validate.ts')).validateCommand,
  ).option('--json', 'print the problems as JSON');

  runOptions(
    command(
      'plan <file>',
      'Show what a run would be, without starting anything',
      'paceline plan examples/client-server -p clients=10\npaceline plan examples/client-server --cloud lab,aws-paris --costs',
      async () => (await import('../commands/plan.ts')).planCommand,
    ),
  )
    .option('--costs', 'ask the clouds what it would cost, and whether their quotas are enough')
    .option('--json', 'print the plan as JSON');

  command(
    'import <file...>',
    "Make module files of SlipStream's XML, and say what has no place in them",
    'paceline import modules/ --into shop\npaceline import apache.xml --json',
    async () => (await import('../commands/import.ts')).importCommand,
  )
    .option('--into <dir>', 'folder to write to', '.')
    .option('--force', 'overwrite files')
    .option('--json', 'print what was written, and what was not mapped, as JSON');

  command(
    'export <file>',
    'Write a module and what it refers to as XML for SlipStream',
    'paceline export examples/client-server --into xml',
    async () => (await import('../commands/export.ts')).exportCommand,
  )
    .option('--into <dir>', 'folder to write to', '.')
    .option('--force', 'overwrite files')
    .option('--json', 'print what was written, and what was not mapped, as JSON');

  command(
    'publish <file>',
    'Publish a version of a module, which `paceline up NAME` runs',
    "paceline publish examples/client-server --as demo/pair --comment 'First version'",
    async () => (await import('../commands/publish.ts')).publishCommand,
  )
    .option('--as <name>', 'name to publish it under, such as shop/web; by default its own')
    .option('--comment <text>', 'what is new in this version')
    .addOption(new Option('--commit <sha>', 'commit that the files are from').env('GITHUB_SHA'))
    .option('--json', 'print as JSON');

  command(
    'modules [module]',
    'List published modules, or all versions of one, or change a version',
    'paceline modules\npaceline modules shop/web\npaceline modules shop/web@3 --promote stable\npaceline modules shop/web@3 --deprecate "it leaks"',
    async () => (await import('../commands/modules.ts')).modulesCommand,
  )
    .option('--copy <name>', 'publish this version under another name')
    .option('--deprecate <reason>', 'say that this version should not be used any more')
    .option('--restore', 'take the deprecation back')
    .option('--promote <channel>', 'let a channel mean this version, such as stable: then files say shop/web@stable')
    .option('--demote <channel>', 'end a channel of this module')
    .option('--delete', 'delete this version for good')
    .option('--json', 'print as JSON');
}
