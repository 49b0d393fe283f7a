import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { systemClock } from './clock.ts';
import { commandClient } from './commands/client.ts';
import { commandNames } from './commands/commands.ts';
import { UsageError, parseOptions } from './commands/options.ts';
import { readConfig } from './config.ts';
import { Instance } from './instance.ts';
import { writeLog } from './journal.ts';
import { readAll } from './link/http.ts';
import { Resident } from './reside.ts';
import { version } from './version.ts';

const help = `Paceline's agent ${version}

agent.cjs run --config FILE                     serve one instance until its run is over
agent.cjs reside --dir DIR [--idle-exit SECS]   serve every instance whose config (*.json) lies in DIR
agent.cjs COMMAND …                             ${commandNames.join(', ')}
agent.cjs --version | --help`;

/** 2 is that of a wrong usage or config; 3: the engine refused the join; 4: it took the credential back. */
const exitCodes = { left: 0, detached: 0, expired: 0, refused: 3, revoked: 4 } as const;

async function main(self: string, argv: string[]): Promise<number> {
  saveMemory();
  const [verb, ...rest] = argv;
  const called = basename(self);
  if (commandNames.includes(called)) return command(called, argv);
  if (verb !== undefined && commandNames.includes(verb)) return command(verb, rest);
  if (verb === '--version') return say(version);
  if (verb === '--help' || verb === '-h') return say(help);
  if (verb === 'run') return run(self, rest);
  if (verb === 'reside') return reside(self, rest);
  process.stderr.write(`${help}\n`);
  return 2;
}

/**
 * The machine's memory is its owner's. A resident process has time to collect its garbage, so young objects stay few; and what it
 * computes is not worth a compiler that optimizes.
 */
function saveMemory(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-opt');
  if (Number.parseInt(process.versions.node, 10) >= 22) setFlagsFromString('--no-maglev');
}

async function run(self: string, args: string[]): Promise<number> {
  const { config: file } = parseOptions(args, { usage: help, options: { config: 'text' } }).texts;
  if (!file) throw new UsageError('--config is missing');
  const configFile = resolve(file);
  const config = readConfig(configFile);
  process.umask(0o077);
  const instance = new Instance({ config, configFile, clock: systemClock, node: process.execPath, bundle: self });
  onStop(() => instance.detach());
  const { how, reason } = await instance.run();
  if (how === 'refused') process.stderr.write(`The engine refused this instance: ${reason}\n`);
  if (how === 'revoked') process.stderr.write(`The engine does not know this instance any more: ${reason}\n`);
  // The machine is ours alone, and nobody is left who could end it.
  if (how === 'expired' && config.root === '') execFile('shutdown', ['-P', 'now']);
  return exitCodes[how];
}

async function reside(self: string, args: string[]): Promise<number> {
  const { texts, numbers } = parseOptions(args, { usage: help, options: { dir: 'text', 'idle-exit': 'number' } });
  if (!texts['dir']) throw new UsageError('--dir is missing');
  const folder = resolve(texts['dir']);
  process.umask(0o077);
  mkdirSync(folder, { recursive: true });
  const log = (line: string): void => writeLog(`${line}\n`);
  const resident = new Resident({ folder, idleExit: numbers['idle-exit'], clock: systemClock, node: process.execPath, bundle: self, log });
  onStop(() => void resident.detach());
  if (!(await resident.run())) log(`Another resident serves ${folder}`);
  return 0;
}

function command(name: string, argv: string[]): Promise<number> {
  return commandClient(name, argv, {
    socket: process.env['PACELINE_SOCKET'] ?? '/run/paceline/agent.sock',
    pid: process.pid,
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    stdin: () => readAll(process.stdin),
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
}

function onStop(stop: () => void): void {
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // The terminal that started it may go.
  process.on('SIGHUP', () => {});
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

const self = resolve(process.argv[1]!);
main(self, process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
    // Nothing may keep a finished agent alive; a command's output must be out first.
    if (process.argv[2] === 'run' || process.argv[2] === 'reside') process.exit();
  },
  (error: unknown) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  },
);
