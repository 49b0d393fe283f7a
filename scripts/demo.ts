// `npm run demo`: a web server and two clients, three machines on this host, through the command as a user has it.
// Takes a few seconds, needs no cloud and no privilege, and checks in the end that nothing of it is left.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const repository = resolve(import.meta.dirname, '..');
const paceline = join(repository, 'packages/cli/dist/paceline.mjs');
const folder = await mkdtemp(join(tmpdir(), 'paceline-demo-'));
const env: NodeJS.ProcessEnv = { ...process.env, PACELINE_STATE_DIR: join(folder, 'state') };

// The command that runs gets the Ctrl-C too and cleans up; this script goes on to its own end.
let interrupted = false;
process.on('SIGINT', () => (interrupted = true));

try {
  await build();
  await demonstrate();
} catch (error) {
  process.exitCode = interrupted ? 130 : 1;
  console.error(interrupted ? '\nInterrupted.' : `\nThe demo failed: ${String(error)}`);
} finally {
  await tidyUp();
}

async function build(): Promise<void> {
  title('Building the command and the agent');
  const { code, output } = await start(process.execPath, [join(repository, 'packages/cli/build.mjs')]);
  if (code !== 0) throw new Error(`the build ended with code ${code}:\n${output}`);
}

async function demonstrate(): Promise<void> {
  title('One web server and two clients: three machines that wait for each other');
  await type('up', 'examples/client-server', '-p', 'clients=2');

  title('The service that they made, asked from here');
  const { serviceUrl } = JSON.parse(await quietly('status', '--json')) as { serviceUrl: string };
  const response = await fetch(serviceUrl);
  if (!response.ok) throw new Error(`${serviceUrl} answers ${response.status}`);
  console.log(`GET ${serviceUrl}\n${(await response.text()).trim()}`);

  title('Every machine has sent a report');
  await type('reports');
  const reports = join(folder, 'reports');
  await quietly('reports', '--get', reports, '--extract');
  const page = (await readdir(reports, { recursive: true })).find((path) => path.includes('client.2_') && path.endsWith('page.html'));
  if (page === undefined) throw new Error('the report of client.2 has no page.html');
  console.log(`\n${page.split('/').slice(1).join('/')}:\n${(await readFile(join(reports, page), 'utf8')).trim()}`);

  title('Taking it down');
  await type('down');
  await type('list');
}

/** Ends what still runs, whatever has happened before, and looks at every process of this host. */
async function tidyUp(): Promise<void> {
  await quietly('engine', 'stop').catch(() => undefined);
  const left = await processesLeft();
  if (left.length > 0) {
    console.error(`\nStill running:\n${left.join('\n')}\nTheir files are in ${folder}`);
    process.exitCode = 1;
    return;
  }
  await rm(folder, { recursive: true, force: true });
  if (process.exitCode === undefined && !interrupted) console.log('\nNothing is left: no process, no machine, no file. Next: README.md');
}

/** The processes that have to do with this demo, by their command lines and environments; they have 10 s to end. */
async function processesLeft(): Promise<string[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const left = (await processes()).filter((text) => text.includes(folder));
    if (left.length === 0 || Date.now() > deadline) return left.map((text) => text.slice(0, 120));
    await sleep(100);
  }
}

/** Command line and environment of every process of this host. */
async function processes(): Promise<string[]> {
  if (!existsSync('/proc/self')) return (await start('ps', ['axeww', '-o', 'args='], 'pipe', {})).output.split('\n');
  const read = async (file: string): Promise<string> => (await readFile(file, 'utf8').catch(() => '')).replaceAll('\0', ' ');
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(ids.map(async (id) => `${id} ${await read(`/proc/${id}/cmdline`)} ${await read(`/proc/${id}/environ`)}`));
}

/** Runs paceline before the reader's eyes. */
async function type(...args: string[]): Promise<void> {
  console.log(`$ paceline ${args.join(' ')}`);
  await finished(args, start(process.execPath, [paceline, ...args], 'inherit'));
}

async function quietly(...args: string[]): Promise<string> {
  return finished(args, start(process.execPath, [paceline, ...args]));
}

async function finished(args: string[], started: Promise<Ended>): Promise<string> {
  const { code, output } = await started;
  if (interrupted && args[0] !== 'engine') throw new Error('interrupted');
  if (code !== 0) throw new Error(`paceline ${args.join(' ')} ended with code ${code}\n${output}`);
  return output;
}

interface Ended {
  code: number | null;
  output: string;
}

/** The exit code and, unless it goes to the terminal, the output of a program. */
function start(program: string, args: string[], stdio: 'pipe' | 'inherit' = 'pipe', environment: NodeJS.ProcessEnv = env): Promise<Ended> {
  const child = spawn(program, args, { cwd: repository, env: environment, stdio: ['ignore', stdio, stdio] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done({ code, output }));
  });
}

function title(text: string): void {
  console.log(`\n\u001b[1m── ${text}\u001b[22m`);
}
