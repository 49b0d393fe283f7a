import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { home, ports, url } from './openstack-config.ts';
import { run, succeeds, until } from './shell.ts';

interface Service {
  program: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  /** Of the host, by which it runs. @default root */
  user?: string;
}

const etc = join(home, 'etc');
// Without SPT_NOENV the names of Neutron's processes are written over their environment, by which they are known.
const common = { LC_ALL: 'C.UTF-8', PYTHONWARNINGS: 'ignore', SPT_NOENV: '1' };

/** Also for its control program. */
export const rabbitEnv = {
  ...common,
  HOME: join(home, 'rabbit'),
  RABBITMQ_NODENAME: 'paceline@localhost',
  RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
  RABBITMQ_NODE_PORT: String(ports.rabbit),
  RABBITMQ_DIST_PORT: String(ports.erlang),
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  ERL_EPMD_PORT: String(ports.epmd),
  ERL_EPMD_ADDRESS: '127.0.0.1',
  RABBITMQ_MNESIA_BASE: join(home, 'rabbit'),
  RABBITMQ_LOG_BASE: join(home, 'log'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(etc, 'rabbit-plugins'),
  RABBITMQ_CONFIG_FILE: join(etc, 'rabbit'),
};

function api(port: number, file: string, env: NodeJS.ProcessEnv, processes = 1, threads = 8): Service {
  const options = '--plugin python3 --master --lazy-apps --buffer-size 65535 --add-header Connection:close --die-on-term --disable-logging';
  const size = ['--processes', String(processes), '--threads', String(threads)];
  return { program: 'uwsgi', args: [...options.split(' '), ...size, '--http-socket', `127.0.0.1:${port}`, '--wsgi-file', file], env };
}

function daemon(program: string, file: string, env?: NodeJS.ProcessEnv): Service {
  return { program, args: ['--config-file', join(etc, file), '--config-dir', join(etc, 'empty')], ...(env !== undefined && { env }) };
}

const services: Record<string, Service> = {
  mysql: {
    program: 'mariadbd',
    args: [
      '--no-defaults',
      '--user=mysql',
      `--datadir=${home}/mysql`,
      `--socket=${home}/run/mysql.sock`,
      `--pid-file=${home}/run/mariadbd.pid`,
      '--skip-networking',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-buffer-pool-size=64M',
      '--max-connections=400',
      '--performance-schema=OFF',
    ],
  },
  rabbit: { program: '/usr/lib/rabbitmq/bin/rabbitmq-server', args: [], env: rabbitEnv, user: 'rabbitmq' },
  keystone: api(ports.keystone, '/usr/bin/keystone-wsgi-public', {
    OS_KEYSTONE_CONFIG_FILES: join(etc, 'keystone.conf'),
    OS_KEYSTONE_CONFIG_DIR: join(etc, 'empty'),
  }),
  placement: api(ports.placement, '/usr/bin/placement-api', { OS_PLACEMENT_CONFIG_DIR: etc }),
  glance: api(ports.glance, '/usr/bin/glance-wsgi-api', { OS_GLANCE_CONFIG_DIR: etc }),
  // Requests that run beside each other in one process of it wait for each other forever.
  nova: api(ports.nova, '/usr/bin/nova-api-wsgi', { OS_NOVA_CONFIG_DIR: join(etc, 'nova-api') }, 4, 1),
  neutron: daemon('neutron-server', 'neutron.conf', { PYTHONPATH: join(home, 'python') }),
  'nova-conductor': daemon('nova-conductor', 'nova.conf'),
  'nova-scheduler': daemon('nova-scheduler', 'nova.conf'),
  'nova-compute': daemon('nova-compute', 'nova.conf'),
};

/** The processes of a service, also those that have left its group: all of them have inherited its name. */
async function processesOf(name: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const isOfIt = async (pid: number): Promise<boolean> =>
    (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0').includes(markOf(name));
  const are = await Promise.all(pids.map(isOfIt));
  return pids.filter((_, at) => are[at]);
}

const markOf = (name: string): string => `PACELINE_TESTBED_PROCESS=${home} ${name}`;

/** Starts services that do not run. */
export async function start(...names: string[]): Promise<void> {
  for (const name of names) {
    const service = services[name];
    if (service === undefined || (await processesOf(name)).length > 0) continue;
    const log = openSync(join(home, 'log', `${name}.log`), 'a');
    const [key = '', value] = markOf(name).split('=');
    const child = spawn(service.program, service.args, {
      env: { ...process.env, ...common, ...service.env, [key]: value },
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      ...(service.user !== undefined && (await identity(service.user))),
    });
    child.on('error', (error) => console.error(error.message));
    child.unref();
  }
}

export async function identity(user: string): Promise<{ uid: number; gid: number }> {
  return { uid: Number(await run('id', ['-u', user])), gid: Number(await run('id', ['-g', user])) };
}

/** Ends all services, those that others need last. */
export async function stopAll(): Promise<void> {
  for (const name of Object.keys(services).toReversed()) await stop(name);
  // RabbitMQ leaves it running, with an environment of its own.
  await succeeds('epmd', ['-kill'], { env: { ERL_EPMD_PORT: String(ports.epmd) } });
}

async function stop(name: string): Promise<void> {
  await signal(name, 'SIGTERM');
  const isOver = async (): Promise<boolean> => (await processesOf(name)).length === 0;
  await until(`${name} to end`, isOver, 20_000).catch(() => signal(name, 'SIGKILL'));
}

async function signal(name: string, kind: NodeJS.Signals): Promise<void> {
  for (const pid of await processesOf(name)) {
    try {
      process.kill(pid, kind);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Until a service answers, whatever it says. */
export function answering(...names: (keyof typeof ports)[]): Promise<unknown> {
  const answers = async (name: keyof typeof ports): Promise<boolean> =>
    fetch(url(name), { signal: AbortSignal.timeout(10_000) }).then(
      () => true,
      () => false,
    );
  return Promise.all(names.map((name) => until(`${name} to answer (its log is ${home}/log/${name}.log)`, () => answers(name), 240_000)));
}
