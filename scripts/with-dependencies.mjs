// Runs a command with the packages of package-lock.json installed and with Node 24, on a machine that has only Node 18 and npm:
//
//   node scripts/with-dependencies.mjs npm run build
//
// It has no dependencies and keeps to what Node 18 knows, as it is what runs first after a clone.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const wantedMajor = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Why the packages must be installed, or undefined when they are there. Npm notes what it installed as its last act in
 * node_modules/.package-lock.json: it says so for every way of installing, and an interrupted one does not count.
 */
export function whyInstall(folder) {
  const noted = readLock(join(folder, 'node_modules', '.package-lock.json'));
  if (!noted) return 'the packages that this repository uses are not installed yet';
  const wanted = readLock(join(folder, 'package-lock.json'));
  for (const [path, entry] of Object.entries(wanted.packages)) {
    if (!path.includes('node_modules/')) continue;
    // A workspace that has come since, such as with `git pull`.
    if (entry.link) {
      if (!existsSync(join(folder, path))) return `${path} is not linked`;
      continue;
    }
    const present = noted.packages[path];
    if (!present && entry.optional && !suits(entry)) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (!present) return `${name} is not installed`;
    if (present.version !== entry.version || present.integrity !== entry.integrity) return `${name} is not of version ${entry.version}`;
  }
  return undefined;
}

/** The program of the first Node that runs here and is new enough: ours from npm, else the one that runs this script. */
export function findNode(folder) {
  const packaged = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return [packaged, process.execPath].find((program) => {
    const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    return status === 0 && Number(stdout.slice(1).split('.')[0]) >= wantedMajor;
  });
}

/** `npm run` puts node_modules/.bin first in PATH: leaves the right `node` there, or none. */
export function linkNode(folder, program) {
  const link = join(folder, 'node_modules', '.bin', 'node');
  if (existsSync(link) && realpathSync(link) === realpathSync(program)) return;
  rmSync(link, { force: true });
  if (program !== process.execPath) symlinkSync(relative(dirname(link), program), link);
}

/** Whether a package is made for this system; one that is for no system in particular may belong to one that is for another. */
function suits({ os, cpu, libc }) {
  if (!os && !cpu) return false;
  return allows(os, process.platform) && allows(cpu, process.arch) && (process.platform !== 'linux' || allows(libc, libcOfThisHost()));
}

function allows(wanted, is) {
  const list = [wanted ?? []].flat();
  return !list.includes(`!${is}`) && (list.includes(is) || list.every((name) => name.startsWith('!')));
}

function libcOfThisHost() {
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return header.glibcVersionRuntime ? 'glibc' : 'musl';
}

function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function install(reason) {
  say(`npm ci, as ${reason}. This takes a minute or two.`);
  const started = Date.now();
  npm(['ci'], process.env.PATH);
  const node = findNode(root);
  const missing = whyInstall(root);
  if (node && missing) {
    say(`npm install with Node ${wantedMajor}, as ${missing}: npm leaves out what does not suit the ${process.version} that it runs on.`);
    npm(['install', '--no-save'], [dirname(node), process.env.PATH].join(delimiter));
  }
  say(`installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function npm(args, path) {
  const options = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = spawnSync('npm', [...args, ...options], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, PATH: path },
  });
  if (error) stop(`npm could not be started (${error.message}). Install npm, it comes with Node.js.`);
  if (status !== 0) {
    stop(
      `npm ${args[0]} failed; its reason stands above. The packages come from the npm registry: check that this machine reaches it ` +
        '(npm ping), behind a proxy set HTTPS_PROXY, then run the same command again.',
    );
  }
}

function run([command, ...args], node) {
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } });
  // A Ctrl-C reaches the child as well; who sent a signal to this process alone means the child too.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => stop(`${command} could not be started: ${error.message}`));
  child.on('close', (code, signal) => process.exit(signal ? 1 : code));
}

function say(text) {
  process.stderr.write(`paceline: ${text}\n`);
}

function stop(text) {
  say(text);
  process.exit(1);
}

function main(command) {
  if (command.length === 0) stop('which command? node scripts/with-dependencies.mjs COMMAND [ARGUMENT …]');
  const reason = whyInstall(root);
  if (reason) install(reason);
  const node = findNode(root);
  if (!node) {
    stop(
      `Node ${wantedMajor} or newer is needed. For ${process.platform}-${process.arch} npm has none that runs here, and the one in PATH is ` +
        `${process.version}: install Node ${wantedMajor} (https://nodejs.org) and run the same command again.`,
    );
  }
  linkNode(root, node);
  run(command, node);
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) main(process.argv.slice(2));
