import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
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
const common = { LC_ALL: 'C.UTF-8', PYTHONWARNINGS: 'ignore', PACELINE_TESTBED_OF: home };

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

function api(port: number, file: string, env: NodeJS.ProcessEnv): Service {
  const options =
    '--plugin python3 --processes 1 --threads 8 --master --lazy-apps --buffer-size 65535 --add-header Connection:close --die-on-term';
  return {
    program: 'uwsgi',
    args: [...options.split(' '), '--disable-logging', '--http-socket', `127.0.0.1:${port}`, '--wsgi-file', file],
    env,
  };
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
  nova: api(ports.nova, '/usr/bin/nova-api-wsgi', { OS_NOVA_CONFIG_DIR: join(etc, 'nova-api') }),
  neutron: daemon('neutron-server', 'neutron.conf', { PYTHONPATH: join(home, 'python') }),
  'nova-conductor': daemon('nova-conductor', 'nova.conf'),
  'nova-scheduler': daemon('nova-scheduler', 'nova.conf'),
  'nova-compute': daemon('nova-compute', 'nova.conf'),
};

/** The process group of a service that runs. */
async function groupOf(name: string): Promise<number | undefined> {
  const pid = Number(await readFile(join(home, 'run', `${name}.pid`), 'utf8').catch(() => ''));
  // The number may have gone to another process since.
  const environment = pid > 0 ? await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '') : '';
  return environment.split('\0').includes(`PACELINE_TESTBED_OF=${home}`) ? pid : undefined;
}

/** Starts services that do not run. */
export async function start(...names: string[]): Promise<void> {
  for (const name of names) {
    const service = services[name];
    if (service === undefined || (await groupOf(name)) !== undefined) continue;
    const log = openSync(join(home, 'log', `${name}.log`), 'a');
    const child = spawn(service.program, service.args, {
      env: { ...process.env, ...common, ...service.env },
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      ...(service.user !== undefined && (await identity(service.user))),
    });
    child.on('error', (error) => console.error(error.message));
    child.unref();
    await writeFile(join(home, 'run', `${name}.pid`), String(child.pid));
  }
}

export async function identity(user: string): Promise<{ uid: number; gid: number }> {
  return { uid: Number(await run('id', ['-u', user])), gid: Number(await run('id', ['-g', user])) };
}

/** Ends all services, those that others need last. */
export async function stopAll(): Promise<void> {
  for (const name of Object.keys(services).toReversed()) await stop(name);
  // RabbitMQ leaves it running.
  await succeeds('epmd', ['-kill'], { env: { ERL_EPMD_PORT: String(ports.epmd) } });
}

async function stop(name: string): Promise<void> {
  const group = await groupOf(name);
  if (group !== undefined) {
    process.kill(-group, 'SIGTERM');
    await until(`${name} to end`, async () => !isThere(group), 20_000).catch(() => isThere(group) && process.kill(-group, 'SIGKILL'));
  }
  await rm(join(home, 'run', `${name}.pid`), { force: true });
}

function isThere(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
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
