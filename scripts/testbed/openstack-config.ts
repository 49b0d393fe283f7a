import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const home = join(process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed', 'openstack');

export const ports = {
  keystone: 25_000,
  placement: 25_001,
  glance: 25_002,
  nova: 25_003,
  neutron: 25_004,
  rabbit: 25_005,
  erlang: 25_006,
  epmd: 25_007,
};

/** Everything listens on this host alone, so that there is nothing to keep. */
export const password = 'testbed';

export const databases = ['keystone', 'glance', 'placement', 'nova', 'nova_api', 'nova_cell0', 'neutron'] as const;

export const url = (service: keyof typeof ports): string => `http://127.0.0.1:${ports[service]}`;

export function database(name: (typeof databases)[number]): string {
  return `mysql+pymysql://os:${password}@localhost/${name}?unix_socket=${home}/run/mysql.sock&charset=utf8`;
}

export const rabbit = `rabbit://os:${password}@127.0.0.1:${ports.rabbit}/`;

const auth = `auth_type = password
auth_url = ${url('keystone')}
www_authenticate_uri = ${url('keystone')}
project_domain_name = Default
user_domain_name = Default
project_name = admin
username = admin
password = ${password}
region_name = RegionOne
`;

const locks = `[oslo_concurrency]
lock_path = ${home}/lock
`;

const files: Record<string, string> = {
  'etc/keystone.conf': `[database]
connection = ${database('keystone')}
[token]
provider = fernet
[fernet_tokens]
key_repository = ${home}/etc/fernet
[credential]
key_repository = ${home}/etc/credential
`,
  'etc/placement.conf': `[placement_database]
connection = ${database('placement')}
[api]
auth_strategy = keystone
[keystone_authtoken]
${auth}`,
  'etc/glance-api.conf': `[DEFAULT]
bind_host = 127.0.0.1
enabled_backends = fs:file
[database]
connection = ${database('glance')}
[glance_store]
default_backend = fs
[fs]
filesystem_store_datadir = ${home}/images
[keystone_authtoken]
${auth}[paste_deploy]
flavor = keystone
${locks}`,
  'etc/nova.conf': `[DEFAULT]
compute_driver = fake.FakeDriver
transport_url = ${rabbit}
my_ip = 127.0.0.1
host = paceline-testbed
state_path = ${home}/nova
log_dir = ${home}/log
enabled_apis = osapi_compute
api_paste_config = /etc/nova/api-paste.ini
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
report_interval = 3
osapi_compute_workers = 1
metadata_workers = 1
[conductor]
workers = 1
[scheduler]
workers = 1
[api]
auth_strategy = keystone
[api_database]
connection = ${database('nova_api')}
[database]
connection = ${database('nova')}
${locks}[glance]
api_servers = ${url('glance')}
[vnc]
enabled = false
[quota]
instances = 300
cores = 1200
ram = 10240000
[filter_scheduler]
enabled_filters = ComputeFilter,ImagePropertiesFilter
[keystone_authtoken]
${auth}[service_user]
send_service_user_token = true
${auth}[placement]
${auth}[neutron]
${auth}`,
  'etc/neutron.conf': `[DEFAULT]
core_plugin = ml2
service_plugins = router,port_forwarding
bind_host = 127.0.0.1
bind_port = ${ports.neutron}
api_workers = 1
rpc_workers = 0
rpc_state_report_workers = 0
transport_url = ${rabbit}
api_paste_config = /etc/neutron/api-paste.ini
state_path = ${home}/neutron
dhcp_agent_notification = false
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
[quotas]
quota_port = 1000
quota_security_group = 200
quota_security_group_rule = 2000
quota_floatingip = 300
[database]
connection = ${database('neutron')}
${locks}[keystone_authtoken]
${auth}[nova]
${auth}[placement]
${auth}[ml2]
type_drivers = local
tenant_network_types = local
mechanism_drivers = paceline_testbed
extension_drivers = port_security
`,
  'etc/rabbit.conf': '',
  'etc/rabbit-plugins': '[].\n',
  'python/paceline_testbed-1.dist-info/METADATA': 'Metadata-Version: 2.1\nName: paceline-testbed\nVersion: 1\n',
  'python/paceline_testbed-1.dist-info/entry_points.txt': '[neutron.ml2.mechanism_drivers]\npaceline_testbed = paceline_testbed:Bind\n',
  'clouds.yaml': `clouds:
${['paceline', 'small', 'admin'].map(cloudEntry).join('')}`,
};

/** A user of each project has its name. */
function cloudEntry(name: string): string {
  return `  ${name}:
    auth:
      auth_url: ${url('keystone')}/v3
      username: ${name}
      password: ${password}
      project_name: ${name}
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
`;
}

const folders = [
  'etc/empty',
  'etc/nova-api',
  'log',
  'run',
  'rabbit',
  'mysql',
  'lock',
  'images',
  'nova/instances',
  'python/paceline_testbed-1.dist-info',
];

const links: Record<string, string> = {
  'etc/glance-api-paste.ini': '/etc/glance/glance-api-paste.ini',
  'etc/nova-api/nova.conf': join(home, 'etc/nova.conf'),
  'etc/nova-api/api-paste.ini': '/etc/nova/api-paste.ini',
};

/** Writes the configuration of all services. */
export async function configure(): Promise<void> {
  for (const folder of folders) await mkdir(join(home, folder), { recursive: true });
  const driver = await readFile(join(import.meta.dirname, 'openstack-bind.py'), 'utf8');
  for (const [name, text] of Object.entries({ ...files, 'python/paceline_testbed.py': driver })) await writeFile(join(home, name), text);
  for (const [name, target] of Object.entries(links)) await symlink(target, join(home, name)).catch(unlessThere);
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
