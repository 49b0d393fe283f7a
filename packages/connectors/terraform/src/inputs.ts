import type { LaunchRequest, MachineRequest } from '@paceline/engine/connector';
import type { Config } from './config.ts';

/** What a module is told of its machine; it declares those variables that it wants. docs: the README of this package. */
export function inputsOf(request: LaunchRequest, { index, name, userData }: MachineRequest, { variables, image }: Config): object {
  const { owner, token, expiresAt, cpus, memoryMiB, diskGiB, ports } = request;
  const tags = {
    'paceline-engine': owner.engine,
    'paceline-run': owner.run,
    'paceline-node': owner.node,
    'paceline-token': token,
    'paceline-index': String(index),
    'paceline-expires': String(Math.floor(expiresAt.getTime() / 1000)),
  };
  const bytes = Buffer.from(userData);
  const wanted = {
    name,
    token,
    tags,
    image: request.image === '' ? image : request.image,
    user_data: bytes.toString('utf8'),
    user_data_base64: bytes.toString('base64'),
    cpus,
    memory_mib: memoryMiB,
    disk_gib: diskGiB,
    ports: ports.map(({ port, protocol }) => ({ port, protocol })),
    expires_at: expiresAt.toISOString(),
  };
  // What is not asked for is not written, so that defaults of the module count.
  return { ...variables, ...Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) };
}
