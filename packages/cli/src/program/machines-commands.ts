import { type MakeCommand, gather } from './make-command.ts';

export function machinesCommands(command: MakeCommand): void {
  command(
    'ssh <run> <instance> [command...]',
    'Open a shell on a machine, or run a command there',
    "paceline ssh 3f2a web.1\npaceline ssh 3f2a web.1 -- tail -f /var/log/syslog\npaceline ssh 3f2a client.2 -- sh -c 'ss-get hostname; ps -ef'",
    async () => (await import('../commands/ssh.ts')).sshCommand,
  )
    .usage('[options] <run> <instance> [-- command...]')
    .addHelpText(
      'after',
      '\nGoes from this computer, with your own keys: a server says where a machine is and passes nothing on. A machine\nthat is part of its host, as those of local, sandbox and qemu, is entered there.',
    );

  command(
    'console <run> <instance>',
    'Show what a machine wrote to its console',
    'paceline console 3f2a web.1\npaceline console 3f2a web.1 -f',
    async () => (await import('../commands/console.ts')).consoleCommand,
  ).option('-f, --follow', 'go on until the machine ends');

  command(
    'build <file>',
    'Build the image of a module on one or more clouds, unless it is built already',
    'paceline build examples/load-balanced/web --cloud local\npaceline build image.yaml --cloud lab --cloud aws-paris --logs',
    async () => (await import('../commands/build.ts')).buildCommand,
  )
    .option('--cloud <name>', 'cloud to build on; may be repeated', gather, [])
    .option('--clouds <file>', 'file of clouds for the background engine')
    .option('--project <name>', "whose machines are to boot it; by default the project that you operate, * for everybody's")
    .option('--logs', 'show what the scripts write')
    .option('--json', 'print one event per line, and the images as the last');

  command(
    'images [image]',
    'List built images, and what needs them; pin, promote or delete one',
    'paceline images\npaceline images 3f2a --pin\npaceline images 3f2a --promote stable\npaceline images 3f2a --delete\npaceline images --age-out 720h',
    async () => (await import('../commands/images.ts')).imagesCommand,
  )
    .option('--pin', 'keep this image')
    .option('--unpin', 'let it go')
    .option('--promote <channel>', 'let a channel mean the published version that it was built of, such as stable')
    .option('--delete', 'delete this image, with its snapshot')
    .option('--age-out <duration>', 'delete those that nothing needs and nobody has used for so long, such as 720h')
    .option('--json', 'print as JSON');
}
