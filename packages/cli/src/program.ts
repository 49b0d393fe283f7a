import { Command, CommanderError, Option } from 'commander';
import type { Shell } from './shell.ts';
import { version } from './version.ts';

type Action<Options> = (args: string[], options: Options, shell: Shell) => Promise<number>;

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

  const command = <Options extends object>(
    usage: string,
    summary: string,
    examples: string,
    load: () => Promise<Action<Options>>,
  ): Command => {
    const made = root.command(usage).summary(summary).description(summary);
    if (examples !== '') made.addHelpText('after', `\nExamples:\n${examples.replace(/^/gm, '  $ ')}`);
    made.exitOverride().action(async () => {
      const action = await load();
      done(await action(made.args, made.optsWithGlobals(), shell));
    });
    return made;
  };

  command(
    'init [dir]',
    'Write a first project, ready to run',
    'paceline init hello && paceline up hello',
    async () => (await import('./commands/init.ts')).initCommand,
  );

  command(
    'validate [file...]',
    'Check module files and everything they refer to',
    'paceline validate\npaceline validate examples/client-server/deployment.yaml',
    async () => (await import('./commands/validate.ts')).validateCommand,
  ).option('--json', 'print the problems as JSON');

  command(
    'import <file...>',
    "Make module files of SlipStream's XML, and say what has no place in them",
    'paceline import modules/ --into shop\npaceline import apache.xml --json',
    async () => (await import('./commands/import.ts')).importCommand,
  )
    .option('--into <dir>', 'folder to write to', '.')
    .option('--force', 'overwrite files')
    .option('--json', 'print what was written, and what was not mapped, as JSON');

  command(
    'export <file>',
    'Write a module and what it refers to as XML for SlipStream',
    'paceline export examples/client-server --into xml',
    async () => (await import('./commands/export.ts')).exportCommand,
  )
    .option('--into <dir>', 'folder to write to', '.')
    .option('--json', 'print what was written, and what was not mapped, as JSON');

  runOptions(
    command(
      'plan <file>',
      'Show what a run would be, without starting anything',
      'paceline plan examples/client-server -p clients=10',
      async () => (await import('./commands/plan.ts')).planCommand,
    ),
  ).option('--json', 'print the plan as JSON');

  runOptions(
    command(
      'up <file>',
      'Start a run and see it through',
      'paceline up examples/client-server -p clients=3\npaceline up deployment.yaml --keep-running never --json\npaceline up deployment.yaml --detach',
      async () => (await import('./commands/up.ts')).upCommand,
    ),
  )
    .option('--name <name>', 'name of the run; by default that of the deployment')
    .addOption(
      new Option('--keep-running <policy>', 'when the machines stay once the run is ready').choices([
        'always',
        'on-success',
        'on-error',
        'never',
      ]),
    )
    .option('--scalable', 'machines may be added and removed while the run is ready; it stays so until it is ended')
    .option('--timeout <duration>', 'longest time in one state, such as 30m')
    .option('--lifetime <duration>', 'hard end of every machine of the run, such as 4h')
    .option('--tag <tag>', 'tag the run; may be repeated', gather, [])
    .option('--clouds <file>', 'file of clouds for the background engine')
    .option('--detach', 'start the run and leave it')
    .option('--logs', 'show what the scripts write')
    .option('--json', 'print one event per line, and the result as the last');

  command(
    'build <file>',
    'Build the image of a module on one or more clouds, unless it is built already',
    'paceline build examples/load-balanced/web --cloud local\npaceline build image.yaml --cloud lab --cloud aws-paris --logs',
    async () => (await import('./commands/build.ts')).buildCommand,
  )
    .option('--cloud <name>', 'cloud to build on; may be repeated', gather, [])
    .option('--clouds <file>', 'file of clouds for the background engine')
    .option('--logs', 'show what the scripts write')
    .option('--json', 'print one event per line, and the images as the last');

  command(
    'images [image]',
    'List built images; pin or delete one',
    'paceline images\npaceline images 3f2a --pin\npaceline images 3f2a --delete',
    async () => (await import('./commands/images.ts')).imagesCommand,
  )
    .option('--pin', 'keep this image')
    .option('--unpin', 'let it go')
    .option('--delete', 'delete this image, with its snapshot')
    .option('--age-out <duration>', 'delete those that are not pinned and that nobody has used for so long, such as 720h')
    .option('--json', 'print as JSON');

  command(
    'publish <file>',
    'Publish a version of a module, which `paceline up NAME` runs',
    "paceline publish examples/client-server --as demo/pair --comment 'First version'",
    async () => (await import('./commands/publish.ts')).publishCommand,
  )
    .option('--as <name>', 'name to publish it under, such as shop/web; by default its own')
    .option('--comment <text>', 'what is new in this version')
    .addOption(new Option('--commit <sha>', 'commit that the files are from').env('GITHUB_SHA'))
    .option('--json', 'print as JSON');

  command(
    'modules [module]',
    'List published modules, or all versions of one, or change a version',
    'paceline modules\npaceline modules shop/web\npaceline modules shop/web@3 --deprecate "it leaks"',
    async () => (await import('./commands/modules.ts')).modulesCommand,
  )
    .option('--copy <name>', 'publish this version under another name')
    .option('--deprecate <reason>', 'say that this version should not be used any more')
    .option('--restore', 'take the deprecation back')
    .option('--delete', 'delete this version for good')
    .option('--json', 'print as JSON');

  command(
    'status [run]',
    'Show a run and its instances',
    'paceline status\npaceline status 3f2a --json',
    async () => (await import('./commands/status.ts')).statusCommand,
  ).option('--json', 'print as JSON');

  command('list', 'List runs, newest first', 'paceline list --active', async () => (await import('./commands/list.ts')).listCommand)
    .option('--active', 'only those that have not ended')
    .option('--limit <n>', 'how many', '50')
    .option('--json', 'print as JSON');

  command(
    'logs [run]',
    'Show what the scripts of a run wrote',
    'paceline logs -f\npaceline logs 3f2a --instance client.1',
    async () => (await import('./commands/logs.ts')).logsCommand,
  )
    .option('-f, --follow', 'go on until the run ends')
    .option('--instance <name>', 'only of this instance, or of this node')
    .option('--json', 'print one piece of output per line');

  command(
    'events [run]',
    'Show what happened in a run',
    'paceline events -f',
    async () => (await import('./commands/events.ts')).eventsCommand,
  )
    .option('-f, --follow', 'go on until the run ends')
    .option('--json', 'print one event per line');

  command(
    'get <key...>',
    'Print a parameter of a run',
    'paceline get web.1:hostname\npaceline get 3f2a ss:result --wait 60',
    async () => (await import('./commands/get.ts')).getCommand,
  )
    .usage('[options] [run] <key>')
    .option('--reveal', 'print the value of a secret')
    .option('--wait [seconds]', 'wait for a value, for ever or so long');

  command(
    'set <key...>',
    'Set a parameter of a run',
    "paceline set ss:go true\npaceline set 3f2a web.1:password 'hush' --secret",
    async () => (await import('./commands/set.ts')).setCommand,
  )
    .usage('[options] [run] <key> <value>')
    .option('--secret', 'hide the value wherever people look');

  command(
    'reports [run]',
    'List, download or look into the reports of a run',
    'paceline reports\npaceline reports 3f2a --get reports --extract\npaceline reports --show client.1_report_2012-01-19T203527Z.tgz',
    async () => (await import('./commands/reports.ts')).reportsCommand,
  )
    .option('--get <dir>', 'download all into DIR/RUN/')
    .option('--extract', 'with --get: unpack them too; files and folders only')
    .option('--show <name>', 'list what is in a report')
    .option('--json', 'print as JSON');

  command(
    'ssh <run> <instance> [command...]',
    'Open a shell on a machine, or run a command there',
    "paceline ssh 3f2a web.1\npaceline ssh 3f2a web.1 -- tail -f /var/log/syslog\npaceline ssh 3f2a client.2 -- sh -c 'ss-get hostname; ps -ef'",
    async () => (await import('./commands/ssh.ts')).sshCommand,
  ).usage('[options] <run> <instance> [-- command...]');

  command(
    'console <run> <instance>',
    'Show what a machine wrote to its console',
    'paceline console 3f2a web.1\npaceline console 3f2a web.1 -f',
    async () => (await import('./commands/console.ts')).consoleCommand,
  ).option('-f, --follow', 'go on until the machine ends');

  command(
    'scale <words...>',
    'Add, remove or resize machines of a run that is ready',
    'paceline scale web +2\npaceline scale 3f2a web =5 --tolerate 1\npaceline scale web --remove 1,3\npaceline scale db --cpus 4 --memory 8GiB',
    async () => (await import('./commands/scale.ts')).scaleCommand,
  )
    .usage('[options] [run] <node> [+n|-n|=n]')
    // `-2` is no option.
    .allowUnknownOption()
    .option('--remove <ids>', 'remove the instances with these numbers')
    .option('--tolerate <n>', 'so many of the new machines may fail')
    .option('--cpus <n>', 'give the machines so many CPUs, where the cloud can')
    .option('--memory <size>', 'give the machines so much memory, such as 4GiB')
    .option('--ids <ids>', 'with --cpus or --memory: only the instances with these numbers')
    .option('--no-wait', 'do not wait until the run is ready again')
    .option('--logs', 'show what the scripts write')
    .option('--json', 'print one event per line, and the run as the last');

  command(
    'abort <reason...>',
    'Raise the abort flag of a run',
    "paceline abort 'The test data is wrong'",
    async () => (await import('./commands/abort.ts')).abortCommand,
  ).usage('[options] [run] <reason>');

  command(
    'cancel-abort [run]',
    'Take the abort flag of a run down again',
    'paceline cancel-abort 3f2a',
    async () => (await import('./commands/abort.ts')).cancelAbortCommand,
  );

  command(
    'down [run]',
    'End a run and take its machines down',
    'paceline down\npaceline down 3f2a --no-wait',
    async () => (await import('./commands/down.ts')).downCommand,
  )
    .option('--no-wait', 'do not wait for the end')
    .option('--json', 'print the run as JSON');

  command(
    'reap',
    'Show what the clouds still have of this server that no run needs',
    'paceline reap\npaceline reap --yes',
    async () => (await import('./commands/reap.ts')).reapCommand,
  )
    .option('--yes', 'remove it')
    .option('--json', 'print as JSON');

  command(
    'server',
    'Serve the engine over HTTP',
    'paceline server --port 8420\npaceline server --host 0.0.0.0 --port 443 --tls-cert cert.pem --tls-key key.pem',
    async () => {
      const { serverCommand } = await import('./commands/server.ts');
      return (_args: string[], options: Parameters<typeof serverCommand>[0], at: Shell) => serverCommand(options, at);
    },
  )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes that of the last time, or a free one', '0')
    .option('--tls-cert <file>', 'certificate, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--public-url <url>', 'what machines call, when it is another address')
    .addOption(
      new Option(
        '--database <url>',
        'PostgreSQL database that several servers share, postgres://…; they share the state directory, too',
      ).env('PACELINE_DATABASE'),
    )
    .option('--replica-url <url>', 'with --database: where the other servers reach this one, when it is another address')
    .option('--clouds <file>', 'file of clouds; by default clouds.yaml in the state directory')
    .option('--logins <file>', 'file that says which jobs of GitHub Actions may log in, without any secret')
    .option('--no-dashboard', 'serve no pages for browsers')
    .option('--max-connections <n>', 'open connections that are taken; each machine needs two', '20000')
    .addOption(new Option('--log-level <level>', 'what is logged').choices(['error', 'warn', 'info', 'debug']).default('info'))
    .addOption(new Option('--owner-tag <tag>', "servers with the same tag know each other's machines on the clouds").hideHelp())
    .addOption(new Option('--embedded', 'end when nobody needs the engine any more').hideHelp())
    .addOption(new Option('--idle-exit <duration>', 'with --embedded: after how long').env('PACELINE_IDLE_EXIT').hideHelp());

  command(
    'user <action> [name]',
    'Say who may use a server: list, add, grant, revoke or remove',
    'paceline user add alice --role deployer --project shop\npaceline user grant alice --role operator --project shop\npaceline user list',
    async () => (await import('./commands/user.ts')).userCommand,
  )
    .option('--role <role>', 'viewer, deployer, operator or admin', 'viewer')
    .option('--project <name>', 'where the role counts; * for everywhere', '*')
    .option('--json', 'print as JSON');

  command(
    'token <action> [what]',
    'Make, list or revoke personal tokens: list, create TITLE or revoke ID',
    "paceline token create 'my laptop' --expires 90d\npaceline token create nightly --user alice --role deployer --project shop\npaceline token revoke 3f2a51c0d4e5b697",
    async () => (await import('./commands/token.ts')).tokenCommand,
  )
    .option('--user <name>', 'whose token it is; by default yours')
    .option('--expires <duration>', 'how long it is good, such as 12h or 90d, or never', '90d')
    .option('--role <role>', 'at most this role')
    .option('--project <name>', 'in this project only')
    .option('--json', 'print as JSON');

  command(
    'engine <action>',
    'Look at, or stop, the engine in the background: status or stop',
    'paceline engine status\npaceline engine stop',
    async () => (await import('./commands/engine.ts')).engineCommand,
  );

  return root;
}

function runOptions(command: Command): Command {
  return command
    .option(
      '-p, --parameter <key=value>',
      'value of a parameter: NAME, NODE:NAME, NODE:multiplicity, NODE:cloud; may be repeated',
      gather,
      [],
    )
    .option('--parameters-file <file>', 'YAML file of parameters')
    .option('--cloud <name>', 'cloud of every node that is not told otherwise');
}

function gather(value: string, all: string[]): string[] {
  return [...all, value];
}
