import { joinSecret, launchSecret } from '../bootstrap/secrets.ts';
import { renderUserData, type Bootstrap, type Runtime } from '../bootstrap/user-data.ts';
import type { LaunchRequest } from '../connector/index.ts';
import { builtFor, type Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { sha256 } from '../run/script-digest.ts';
import { tunnelKeys } from '../tunnel/tunnel-keys.ts';
import { placeKeyOf } from './batch.ts';
import { givesTunnelKeys, reachOf, type Cloud } from './clouds.ts';

/** What all launches of an engine have in common. */
export interface LaunchFrame {
  engineId: string;
  engineKey: Buffer;
  agentSha256: string;
  /** The Node.js for machines without one. */
  runtime?(): Promise<Runtime | undefined>;
  /** Where machines reach the engine. */
  url(): string;
}

/** The request for a batch of instances of one node: the same bytes whenever it is asked again. */
export function launchRequest(
  run: Run,
  instances: readonly Instance[],
  configured: Cloud,
  frame: LaunchFrame,
  runtime?: Runtime,
): LaunchRequest {
  const [first] = instances;
  const node = first && run.plan.nodes[first.node];
  if (first === undefined || node === undefined) throw new Error('a launch needs instances of a node');
  const { token, cloud } = first.machine;
  const { resources, clouds, ports } = node.image;
  const native = builtFor(run.plan, first) ?? clouds[cloud] ?? clouds[configured.connector.info.name];
  const expiresAt = new Date(run.facts.expiresAt);
  const userDataOf = (instance: Instance, machine: Bootstrap['machine']): Uint8Array =>
    renderUserData({
      ...wayHome(run, instance, configured, frame),
      agentSha256: frame.agentSha256,
      ...(runtime === undefined ? {} : { runtime }),
      run: run.id,
      machine,
      expiresAt,
    });
  const placeKey = placeKeyOf(instances, configured);
  return {
    token,
    owner: { engine: frame.engineId, run: run.id, node: first.node },
    machines: instances.map((instance) => ({
      index: instance.index,
      name: machineName(run, instance),
      userData: userDataOf(instance, {
        instance: instance.name,
        secret: joinSecret(frame.engineKey, run.id, instance.name, token),
      }),
    })),
    ...(placeKey !== undefined && {
      shared: {
        name: machineName(run, first, longestName - longestPlace),
        userData: userDataOf(first, {
          placeKey,
          launchSecret: launchSecret(frame.engineKey, run.id, token),
          node: first.node,
          numbers: instances.map(({ index }) => index),
        }),
      },
    }),
    image: native?.image ?? '',
    ...(native?.login === undefined ? {} : { login: native.login }),
    ...defined(resources),
    ports,
    ...(reachOf(configured) === 'tunnel' && { tunnelled: true }),
    expiresAt,
  };
}

/** The engine at the other end of a tunnel, to which the socket there is the only way. */
const tunnelUrl = 'http://engine.invalid';

/** Where the machine finds its engine, and what it needs for that. */
function wayHome(run: Run, { name, machine }: Instance, cloud: Cloud, frame: LaunchFrame): Pick<Bootstrap, 'url' | 'tunnel'> {
  if (reachOf(cloud) !== 'tunnel') return { url: cloud.connector.hostUrl?.(frame.url()) ?? frame.url() };
  if (!givesTunnelKeys(cloud)) return { url: tunnelUrl, tunnel: 'there' };
  const { host, client } = tunnelKeys(frame.engineKey, { run: run.id, instance: name, token: machine.token });
  return { url: tunnelUrl, tunnel: { hostKey: host.privateKey, clientKey: client.publicKey } };
}

const longestName = 63;
/** `-1000` */
const longestPlace = 5;

/** `apache-1-0f3c2b1a`: fit for a host name, different for every instance, and the run can be told from it. */
export function machineName(run: Pick<Run, 'id'>, { name }: Pick<Instance, 'name'>, longest = longestName): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const short = `${plain}-${run.id.slice(0, 8)}`;
  if (short.length <= longest && /^[a-z][a-z0-9]*(\.\d+)?$/.test(name)) return short;
  // What was lost of the name is made up for by a part of its digest.
  const tail = `-${sha256(name).slice(0, 8)}-${run.id.slice(0, 8)}`;
  return `${plain.slice(0, longest - tail.length)}${tail}`;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(record: T): Defined<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>;
}
