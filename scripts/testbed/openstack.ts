import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configure, database, databases, home, password, rabbit, url } from './openstack-config.ts';
import { furnish, makeCatalogue, wakeNeutron } from './openstack-content.ts';
import { answering, identity, rabbitEnv, start, stopAll } from './openstack-services.ts';
import { installServers } from './packages.ts';
import { run, step, succeeds, until } from './shell.ts';

const packages = [
  'mariadb-server',
  'rabbitmq-server',
  'uwsgi-core',
  'uwsgi-plugin-python3',
  'keystone',
  'glance-api',
  'placement-api',
  'nova-api',
  'nova-conductor',
  'nova-scheduler',
  'nova-compute',
  'neutron-server',
  'python3-openstackclient',
  'python3-pymysql',
];

const limit = 600_000;
const socket = join(home, 'run', 'mysql.sock');
const keystoneConf = ['--config-file', join(home, 'etc/keystone.conf')];
const novaConf = ['--config-file', join(home, 'etc/nova.conf')];

/** OpenStack of Debian: all that answers is real; the machines are nova's fake driver, which boots nothing. */
export const openstack = {
  async up(): Promise<void> {
    await installServers(packages);
    await configure();
    await startDatabase();
    await startBroker();
    await once('schemas', 'Making the schemas', makeSchemas);
    await step('Starting the services', startServices);
    await once('content', 'Making projects, flavors, an image and networks', furnish);
    console.log(`Keystone answers at ${url('keystone')}/v3; credentials are in ${join(home, 'clouds.yaml')}.`);
  },

  async stop(): Promise<void> {
    await step('Stopping the services', stopAll);
  },

  async remove(): Promise<void> {
    if (!existsSync(home)) return console.log('There is none.');
    await step('Stopping the services', stopAll);
    await rm(home, { recursive: true });
    console.log(`Removed, but for the packages: apt-get remove ${packages.join(' ')}`);
  },
};

/** What is done when it was not done before. */
async function once(name: string, what: string, work: () => Promise<unknown>): Promise<void> {
  const note = join(home, `${name}.done`);
  if (existsSync(note)) return;
  await step(what, work);
  await writeFile(note, '');
}

function sql(statement: string): Promise<string> {
  return run('mariadb', ['--no-defaults', `--socket=${socket}`, '-uroot', '-N', '-e', statement]);
}

async function startDatabase(): Promise<void> {
  const data = join(home, 'mysql');
  await run('chown', ['-R', 'mysql', data]);
  await chmod(join(home, 'run'), 0o1777);
  if (!existsSync(join(data, 'mysql'))) {
    const args = ['--no-defaults', '--user=mysql', `--datadir=${data}`, '--auth-root-authentication-method=socket'];
    await step('Making the database', () => run('mariadb-install-db', args, { limit }));
  }
  await start('mysql');
  await until('MariaDB to answer', () => sql('select 1').then(Boolean, () => false), 120_000);
  for (const name of databases) {
    await sql(
      `create database if not exists ${name} character set utf8; grant all on ${name}.* to 'os'@'localhost' identified by '${password}'`,
    );
  }
}

async function startBroker(): Promise<void> {
  await run('chown', ['-R', 'rabbitmq', join(home, 'rabbit')]);
  await chmod(join(home, 'log'), 0o777);
  await start('rabbit');
  await until(
    'RabbitMQ to answer',
    () =>
      control('await_startup', '--timeout', '5').then(
        () => true,
        () => false,
      ),
    120_000,
  );
  if (!(await control('list_users', '-q')).includes('os\t')) await control('add_user', 'os', password);
  await control('set_permissions', 'os', '.*', '.*', '.*');
}

/** rabbitmqctl, by the user whose cookie it needs. */
async function control(...args: string[]): Promise<string> {
  const { uid, gid } = await identity('rabbitmq');
  const child = spawn('/usr/lib/rabbitmq/bin/rabbitmqctl', args, {
    env: { ...process.env, ...rabbitEnv },
    uid,
    gid,
    cwd: '/',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`rabbitmqctl ${args[0]} ended with ${code ?? 'a signal'}`);
  return output;
}

async function makeSchemas(): Promise<void> {
  const keystone = (...args: string[]): Promise<string> => run('keystone-manage', [...keystoneConf, ...args], { limit });
  const nova = (...args: string[]): Promise<string> => run('nova-manage', [...novaConf, ...args], { limit });
  const users = ['--keystone-user', 'root', '--keystone-group', 'root'];
  await keystone('db_sync');
  await keystone('fernet_setup', ...users);
  await keystone('credential_setup', ...users);
  const endpoints = ['admin', 'internal', 'public'].flatMap((kind) => [`--bootstrap-${kind}-url`, `${url('keystone')}/v3/`]);
  await keystone('bootstrap', '--bootstrap-password', password, ...endpoints, '--bootstrap-region-id', 'RegionOne');
  await run('placement-manage', ['--config-file', join(home, 'etc/placement.conf'), 'db', 'sync'], { limit });
  await run('glance-manage', ['--config-file', join(home, 'etc/glance-api.conf'), 'db_sync'], { limit });
  await run('neutron-db-manage', ['--config-file', join(home, 'etc/neutron.conf'), 'upgrade', 'head'], { limit });
  await nova('api_db', 'sync');
  await nova('cell_v2', 'map_cell0', '--database_connection', database('nova_cell0'));
  if (!(await nova('cell_v2', 'list_cells')).includes('cell1')) {
    await nova('cell_v2', 'create_cell', '--name', 'cell1', '--database_connection', database('nova'), '--transport-url', rabbit);
  }
  await nova('db', 'sync');
}

async function startServices(): Promise<void> {
  await start('keystone');
  await answering('keystone');
  await makeCatalogue();
  const [began] = (await sql('select utc_timestamp()')).split('\n');
  await start('placement', 'glance', 'neutron');
  await answering('placement', 'glance', 'neutron');
  await wakeNeutron();
  await start('nova', 'nova-conductor', 'nova-scheduler', 'nova-compute');
  await answering('nova');
  const alive = `select count(*) from nova.services where last_seen_up >= '${began}'`;
  await until('nova to be there', async () => Number(await sql(alive)) >= 3, 180_000);
  // A host that was not found in its cell gets no machines.
  const found = async (): Promise<boolean> => {
    await succeeds('nova-manage', [...novaConf, 'cell_v2', 'discover_hosts'], { limit });
    return Number(await sql('select count(*) from nova_api.host_mappings')) >= 1;
  };
  await until('nova to find its host', found, 180_000);
}
