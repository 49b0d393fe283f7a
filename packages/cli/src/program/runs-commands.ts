import { Option } from 'commander';
import { type MakeCommand, gather, runOptions } from './make-command.ts';

export function runsCommands(command: MakeCommand): void {
  runOptions(
    command(
      'up <file>',
      'Start a run and see it through',
      'paceline up examples/client-server -p clients=3\npaceline up deployment.yaml --keep-running never --json\npaceline up deployment.yaml --detach',
      async () => (await import('../commands/up.ts')).upCommand,
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
    'status [run]',
    'Show a run and its instances',
    'paceline status\npaceline status 3f2a --json',
    async () => (await import('../commands/status.ts')).statusCommand,
  ).option('--json', 'print as JSON');

  command('list', 'List runs, newest first', 'paceline list --active', async () => (await import('../commands/list.ts')).listCommand)
    .option('--active', 'only those that have not ended')
    .option('--limit <n>', 'how many', '50')
    .option('--json', 'print as JSON');

  command(
    'logs [run]',
    'Show what the scripts of a run wrote',
    'paceline logs -f\npaceline logs 3f2a --instance client.1',
    async () => (await import('../commands/logs.ts')).logsCommand,
  )
    .option('-f, --follow', 'go on until the run ends')
    .option('--instance <name>', 'only of this instance, or of this node')
    .option('--json', 'print one piece of output per line');

  command(
    'events [run]',
    'Show what happened in a run',
    'paceline events -f',
    async () => (await import('../commands/events.ts')).eventsCommand,
  )
    .option('-f, --follow', 'go on until the run ends')
    .option('--json', 'print one event per line');

  command(
    'get <key...>',
    'Print a parameter of a run',
    'paceline get web.1:hostname\npaceline get 3f2a ss:result --wait 60',
    async () => (await import('../commands/get.ts')).getCommand,
  )
    .usage('[options] [run] <key>')
    .option('--reveal', 'print the value of a secret')
    .option('--wait [seconds]', 'wait for a value, for ever or so long');

  command(
    'set <key...>',
    'Set a parameter of a run',
    "paceline set ss:go true\npaceline set 3f2a web.1:password 'hush' --secret",
    async () => (await import('../commands/set.ts')).setCommand,
  )
    .usage('[options] [run] <key> <value>')
    .option('--secret', 'hide the value wherever people look');

  command(
    'reports [run]',
    'List, download or look into the reports of a run',
    'paceline reports\npaceline reports 3f2a --get reports --extract\npaceline reports --show client.1_report_2012-01-19T203527Z.tgz',
    async () => (await import('../commands/reports.ts')).reportsCommand,
  )
    .option('--get <dir>', 'download all into DIR/RUN/')
    .option('--extract', 'with --get: unpack them too; files and folders only')
    .option('--show <name>', 'list what is in a report')
    .option('--json', 'print as JSON');

  command(
    'scale <words...>',
    'Add, remove or resize machines of a run that is ready, or their disks',
    'paceline scale web +2\npaceline scale 3f2a web =5 --tolerate 1\npaceline scale web --remove 1,3\npaceline scale db --cpus 4 --memory 8GiB\npaceline scale db --attach-disk 10GiB --ids 1',
    async () => (await import('../commands/scale.ts')).scaleCommand,
  )
    .usage('[options] [run] <node> [+n|-n|=n]')
    // `-2` is no option.
    .allowUnknownOption()
    .option('--remove <ids>', 'remove the instances with these numbers')
    .option('--tolerate <n>', 'so many of the new machines may fail')
    .option('--cpus <n>', 'give the machines so many CPUs, where the cloud can')
    .option('--memory <size>', 'give the machines so much memory, such as 4GiB')
    .option('--attach-disk <size>', 'give the machines another disk, such as 10GiB, where the cloud can')
    .option('--detach-disk <device>', 'take a disk away that was attached so, and what is on it')
    .option('--ids <ids>', 'with a size or a disk: only the instances with these numbers')
    .option('--no-wait', 'do not wait until the run is ready again')
    .option('--logs', 'show what the scripts write')
    .option('--json', 'print one event per line, and the run as the last');

  command(
    'abort <reason...>',
    'Raise the abort flag of a run',
    "paceline abort 'The test data is wrong'",
    async () => (await import('../commands/abort.ts')).abortCommand,
  ).usage('[options] [run] <reason>');

  command(
    'cancel-abort [run]',
    'Take the abort flag of a run down again',
    'paceline cancel-abort 3f2a',
    async () => (await import('../commands/abort.ts')).cancelAbortCommand,
  );

  command(
    'down [run]',
    'End a run and take its machines down',
    'paceline down\npaceline down 3f2a --no-wait',
    async () => (await import('../commands/down.ts')).downCommand,
  )
    .option('--no-wait', 'do not wait for the end')
    .option('--json', 'print the run as JSON');
}
