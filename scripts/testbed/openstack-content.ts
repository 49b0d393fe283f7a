import { password, url } from './openstack-config.ts';
import { until } from './shell.ts';

interface Reply {
  [key: string]: unknown;
}

type Ask = (method: string, address: string, body?: unknown, type?: string) => Promise<Reply>;
type Ensure = (address: string, kind: string, name: string, wanted?: Reply, keyed?: boolean) => Promise<string>;

const identity = `${url('keystone')}/v3`;

/** What an administrator can do. */
async function asAdministrator(): Promise<{ ask: Ask; ensure: Ensure }> {
  const token = await logIn();
  const ask: Ask = async (method, address, body, type = 'application/json') => {
    const response = await fetch(address, {
      method,
      headers: { 'x-auth-token': token, 'content-type': type, 'openstack-api-version': 'compute 2.90' },
      ...(body !== undefined && { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok && response.status !== 409) throw new Error(`${method} ${address}: ${response.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Reply);
  };
  /** The id of a thing, made when there is none of its name. */
  const ensure: Ensure = async (address, kind, name, wanted = {}, keyed = true) => {
    const known = (await ask('GET', address))[`${kind}s`] as { id: string; name: string }[];
    const there = known.find((each) => each.name === name);
    if (there !== undefined) return there.id;
    const made = await ask('POST', address, keyed ? { [kind]: { name, ...wanted } } : { name, ...wanted });
    return ((keyed ? made[kind] : made) as { id: string }).id;
  };
  return { ask, ensure };
}

/** A fresh Neutron fails when it is asked for ports, until it has been asked for floating addresses. */
export async function wakeNeutron(): Promise<void> {
  const { ask } = await asAdministrator();
  const asked = (): Promise<boolean> => ask('GET', `${url('neutron')}/v2.0/floatingips`).then(Boolean, () => false);
  await until('Neutron to know its models', asked);
}

/** What projects, users and machines need. What is there already is left as it is. */
export async function furnish(): Promise<void> {
  const { ask, ensure } = await asAdministrator();
  const nova = `${url('nova')}/v2.1`;
  const neutron = `${url('neutron')}/v2.0`;
  await ensure(`${identity}/roles`, 'role', 'service');
  const member = await ensure(`${identity}/roles`, 'role', 'member');
  const projects = new Map<string, string>();
  for (const name of ['paceline', 'small']) {
    const project = await ensure(`${identity}/projects`, 'project', name, { domain_id: 'default' });
    const user = await ensure(`${identity}/users`, 'user', name, { domain_id: 'default', password });
    await ask('PUT', `${identity}/projects/${project}/users/${user}/roles/${member}`);
    projects.set(name, project);
  }
  await ask('PUT', `${nova}/os-quota-sets/${projects.get('small')}`, { quota_set: { instances: 2 } });

  const flavors: [string, number, number, number][] = [
    ['m1.nano', 1, 64, 1],
    ['m1.small', 1, 2048, 20],
    ['m1.large', 4, 8192, 80],
    ['m1.enormous', 100, 790_000, 80],
  ];
  for (const [name, vcpus, ram, disk] of flavors) await ensure(`${nova}/flavors`, 'flavor', name, { vcpus, ram, disk });

  const images = `${url('glance')}/v2/images`;
  const shape = { disk_format: 'raw', container_format: 'bare', visibility: 'public' };
  const image = await ensure(images, 'image', 'debian-12', shape, false);
  await ask('PUT', `${images}/${image}/file`, new Uint8Array(1024 * 1024), 'application/octet-stream');

  for (const [name, project] of projects) {
    const network = await ensure(`${neutron}/networks`, 'network', name, { project_id: project });
    const subnet = await ensure(`${neutron}/subnets`, 'subnet', name, {
      network_id: network,
      project_id: project,
      ip_version: 4,
      cidr: '10.9.0.0/20',
    });
    const outside = await ensure(`${neutron}/networks`, 'network', 'public', { 'router:external': true });
    await ensure(`${neutron}/subnets`, 'subnet', 'public', {
      network_id: outside,
      ip_version: 4,
      cidr: '203.0.112.0/22',
      enable_dhcp: false,
    });
    const gateway = { project_id: project, external_gateway_info: { network_id: outside } };
    const router = await ensure(`${neutron}/routers`, 'router', name, gateway);
    await ask('PUT', `${neutron}/routers/${router}/add_router_interface`, { subnet_id: subnet }).catch(unlessConnected);
  }
}

function unlessConnected(error: Error): void {
  if (!error.message.includes('already has a port')) throw error;
}

/** Where the services are. Those that ask each other do not start without it. */
export async function makeCatalogue(): Promise<void> {
  const { ask, ensure } = await asAdministrator();
  const services: [string, string, string][] = [
    ['nova', 'compute', `${url('nova')}/v2.1`],
    ['glance', 'image', url('glance')],
    ['placement', 'placement', url('placement')],
    ['neutron', 'network', url('neutron')],
  ];
  for (const [name, type, address] of services) {
    const service = await ensure(`${identity}/services`, 'service', name, { type });
    const known = (await ask('GET', `${identity}/endpoints?service_id=${service}`))['endpoints'] as { interface: string }[];
    for (const kind of ['public', 'internal', 'admin']) {
      if (known.some((endpoint) => endpoint.interface === kind)) continue;
      await ask('POST', `${identity}/endpoints`, {
        endpoint: { interface: kind, url: address, service_id: service, region_id: 'RegionOne' },
      });
    }
  }
}

async function logIn(): Promise<string> {
  const domain = { name: 'Default' };
  const user = { name: 'admin', domain, password };
  const response = await fetch(`${url('keystone')}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: { identity: { methods: ['password'], password: { user } }, scope: { project: { name: 'admin', domain } } },
    }),
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new Error(`Keystone does not let its administrator in: ${response.status} ${await response.text()}`);
  return response.headers.get('x-subject-token') ?? '';
}
