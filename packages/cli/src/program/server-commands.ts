import { Option } from 'commander';
import type { Shell } from '../shell.ts';
import type { MakeCommand } from './make-command.ts';

export function serverCommands(command: MakeCommand): void {
  command(
    'server',
    'Serve the engine over HTTP',
    'paceline server --port 8420\npaceline server --host 0.0.0.0 --port 443 --tls-cert cert.pem --tls-key key.pem',
    async () => {
      const { serverCommand } = await import('../commands/server.ts');
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
    .option('--logins <file>', 'file that says who else may log in: jobs of GitHub Actions, people by OpenID Connect')
    .option('--no-dashboard', 'serve no pages for browsers')
    .option('--keep-runs <duration>', 'how long finished runs are kept', '90d')
    .option('--keep-output <duration>', 'how long the output of finished runs is kept', '30d')
    .option('--keep-reports <duration>', 'how long the reports of finished runs are kept', '30d')
    .option('--max-connections <n>', 'open connections that are taken; each machine needs two', '20000')
    .addOption(new Option('--log-level <level>', 'what is logged').choices(['error', 'warn', 'info', 'debug']).default('info'))
    .addOption(new Option('--owner-tag <tag>', "servers with the same tag know each other's machines on the clouds").hideHelp())
    .addOption(new Option('--embedded', 'end when nobody needs the engine any more').hideHelp())
    .addOption(new Option('--idle-exit <duration>', 'with --embedded: after how long').env('PACELINE_IDLE_EXIT').hideHelp());

  command(
    'engine <action>',
    'Look at, or stop, the engine in the background: status or stop',
    'paceline engine status\npaceline engine stop',
    async () => (await import('../commands/engine.ts')).engineCommand,
  );

  command(
    'user <action> [name]',
    'Say who may use a server: list, add, grant, revoke or remove',
    'paceline user add alice --role deployer --project shop\npaceline user grant alice --role operator --project shop\npaceline user list',
    async () => (await import('../commands/user.ts')).userCommand,
  )
    .option('--role <role>', 'viewer, deployer, operator or admin', 'viewer')
    .option('--project <name>', 'where the role counts; * for everywhere', '*')
    .option('--json', 'print as JSON');

  command(
    'token <action> [what]',
    'Make, list or revoke personal tokens: list, create TITLE or revoke ID',
    "paceline token create 'my laptop' --expires 90d\npaceline token create nightly --user alice --role deployer --project shop\npaceline token revoke 3f2a51c0d4e5b697",
    async () => (await import('../commands/token.ts')).tokenCommand,
  )
    .option('--user <name>', 'whose token it is; by default yours')
    .option('--expires <duration>', 'how long it is good, such as 12h or 90d, or never', '90d')
    .option('--role <role>', 'at most this role')
    .option('--project <name>', 'in this project only')
    .option('--json', 'print as JSON');

  command(
    'clouds',
    'Show whether the clouds of this server answer, and what can be had there',
    'paceline clouds\npaceline clouds --offers',
    async () => (await import('../commands/clouds.ts')).cloudsCommand,
  )
    .option('--clouds <file>', 'file of clouds for the background engine')
    .option('--offers', 'the sizes of machines, with their prices where they are known')
    .option('--json', 'print as JSON');

  command(
    'reap',
    'Show what the clouds still have of this server that no run needs',
    'paceline reap\npaceline reap --yes\npaceline reap --clouds clouds.yaml',
    async () => (await import('../commands/reap.ts')).reapCommand,
  )
    .option('--clouds <file>', 'file of clouds for the background engine')
    .option('--yes', 'remove it')
    .option('--json', 'print as JSON');

  command(
    'connector <action> <cloud>',
    'Check that the connector of a cloud does what all connectors have to do: test',
    'paceline connector test mine --clouds clouds.yaml\npaceline connector test aws-paris --live --budget 60 --image ami-0abc --only launch-one,launch-again',
    async () => (await import('../commands/connector.ts')).connectorCommand,
  )
    .option('--clouds <file>', 'file of clouds; by default clouds.yaml in the state directory')
    .option('--image <image>', 'image of the machines, as the cloud names it')
    .option('--unknown-image <image>', 'an image that is not there')
    .option('--host <address>', 'address of this host that the machines reach; otherwise what runs in them is not checked')
    .addOption(
      new Option('--end-of-life <who>', 'who ends a machine when its time is over; otherwise that is not checked').choices([
        'connector',
        'machine',
      ]),
    )
    .option('--only <checks>', 'these checks only, separated by commas')
    .option('--patience <seconds>', 'how long a machine may take to come up, or to go', '60')
    .option('--live', 'launch machines that may cost money')
    .option('--budget <n>', 'launch at most so many machines', '100')
    .option('--json', 'print one result per line');
}
