import { createRequire, findPackageJSON } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Connector, ConnectorModule } from '@paceline/engine/connector';
import { PacelineError, toError } from '@paceline/model';

/** A connector's module, whether or not it takes its time to make one. */
export type LoadedModule = ConnectorModule<Connector | Promise<Connector>>;

/** The connectors that come with this program, each loaded when it is wanted. */
const builtInConnectors = new Map<string, () => Promise<{ connectorModule: LoadedModule }>>([
  ['local', () => import('@paceline/connector-local')],
  ['sandbox', () => import('@paceline/connector-sandbox')],
  ['lxd', () => import('@paceline/connector-lxd')],
  ['aws', () => import('@paceline/connector-aws')],
  ['openstack', () => import('@paceline/connector-openstack')],
  ['exec', () => import('@paceline/connector-exec')],
  ['libcloud', () => import('@paceline/connector-libcloud')],
  ['terraform', () => import('@paceline/connector-terraform')],
  ['qemu', () => import('@paceline/connector-qemu')],
  ['ssh', () => import('@paceline/connector-ssh')],
]);

export function isBuiltIn(name: string): boolean {
  return builtInConnectors.has(name);
}

/**
 * Loads the code that speaks to a kind of cloud. Some are part of this program; others are packages of the user's project,
 * `@paceline/connector-NAME` or the package NAME itself, or a file (`./my-connector.mjs`).
 * @param folders where packages are looked for, the first that has it counts; files are relative to the first
 * @throws PACELINE_CLOUD_UNKNOWN with everything that was tried
 */
export async function loadConnector(name: string, folders: readonly string[]): Promise<LoadedModule> {
  const builtIn = builtInConnectors.get(name);
  if (builtIn !== undefined) return (await builtIn()).connectorModule;
  const [first = process.cwd()] = folders;
  const isFile = /^\.{0,2}\//.test(name);
  const specifiers = isFile ? [] : name.startsWith('@') ? [name] : [`@paceline/connector-${name}`, name];
  const tried: string[] = [];
  const candidates = isFile
    ? [resolve(first, name)]
    : specifiers.flatMap((specifier) => folders.flatMap((folder) => found(specifier, folder, tried)));
  for (const path of candidates) {
    const module = connectorIn(await importFile(name, path));
    if (module !== undefined) return module;
    tried.push(`${path} exports no connector`);
  }
  throw new PacelineError(
    'PACELINE_CLOUD_UNKNOWN',
    `There is no connector '${name}'. Tried:\n${tried.map((line) => `  ${line}`).join('\n')}`,
    {
      hint: `Install its package in your project, such as \`npm install ${specifiers[0] ?? name}\`.`,
    },
  );
}

function found(specifier: string, folder: string, tried: string[]): string[] {
  const base = join(folder, 'clouds.yaml');
  try {
    return [createRequire(base).resolve(specifier)];
  } catch (error) {
    // A package that is for `import` only cannot be resolved as `require` would.
    const entry = (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? importEntry(specifier, base) : undefined;
    if (entry !== undefined) return [entry];
    tried.push(`the package ${specifier} from ${folder}`);
    return [];
  }
}

function importEntry(specifier: string, base: string): string | undefined {
  const path = findPackageJSON(specifier, pathToFileURL(base));
  if (path === undefined) return undefined;
  const { exports } = JSON.parse(readFileSync(path, 'utf8')) as { exports?: Record<string, unknown> };
  const main = exports?.['.'] ?? exports;
  const entry = typeof main === 'object' && main !== null && 'import' in main ? main.import : undefined;
  const file = typeof entry === 'object' && entry !== null && 'default' in entry ? entry.default : entry;
  return typeof file === 'string' ? join(dirname(path), file) : undefined;
}

async function importFile(name: string, path: string): Promise<object> {
  try {
    return (await import(pathToFileURL(path).href)) as object;
  } catch (cause) {
    throw new PacelineError('PACELINE_CLOUD_UNKNOWN', `The connector '${name}' in ${path} cannot be loaded: ${toError(cause).message}`, {
      cause,
    });
  }
}

function connectorIn(exported: object): LoadedModule | undefined {
  const named: Record<string, unknown> = { ...exported };
  return [named['connectorModule'], named['default']].find(isConnectorModule);
}

function isConnectorModule(value: unknown): value is LoadedModule {
  return typeof value === 'object' && value !== null && 'createConnector' in value && typeof value.createConnector === 'function';
}
