import type { Cloud, ConfiguredCloud } from '@paceline/engine';
import { ConnectorError, isConnectorError, type Connector } from '@paceline/engine/connector';
import { isPacelineError, PacelineError, toError } from '@paceline/model';
import * as z from 'zod';
import type { CloudEntry, CloudsSource } from './clouds-file.ts';
import { isBuiltIn, loadConnector, type LoadedModule } from './connector-package.ts';

/** Where the clouds are written down, and where connectors are looked for. */
export type CloudsPlace = Pick<CloudsSource, 'file' | 'folder'>;

/** How long a connector may ask somebody else before it is ready, in milliseconds: while nobody waits for it, and while all others do. */
const longestOpeningMs = 60_000;
const longestStartMs = 15_000;

/**
 * Makes the configured clouds ready for the engine. One that cannot be opened is closed, and keeps no other from being used.
 * @param program folder of the program, where connectors are looked for that are not beside the file
 * @throws as `openCloud`, when there are only clouds that never open as they are configured
 */
export async function openClouds({ entries, ...place }: CloudsSource, program: string): Promise<ConfiguredCloud[]> {
  const results = await Promise.allSettled(entries.map((entry) => openCloud(entry, place, program, longestStartMs)));
  const [first] = results;
  const areHopeless = results.every((result) => result.status === 'rejected' && !mayOpenLater(result.reason));
  if (first?.status === 'rejected' && areHopeless) throw first.reason;
  return results.map((result, at) => {
    if (result.status === 'fulfilled') return result.value;
    const { name = '', connector = '' } = entries[at] ?? {};
    return { name, connector, why: reasonOf(result.reason) };
  });
}

/**
 * Makes one of them ready.
 * @throws PACELINE_CLOUD_UNKNOWN for a connector that is not there, PACELINE_REQUEST_INVALID for a configuration that it refuses,
 *   PACELINE_CLOUD_FAILED when it cannot be opened now
 */
export async function openCloud(
  { name, connector, reach, config }: CloudEntry,
  { file, folder }: CloudsPlace,
  program: string,
  longestMs = longestOpeningMs,
): Promise<Cloud> {
  const module = await loadConnector(connector, [folder, program]);
  try {
    if (!isBuiltIn(connector)) checkConfig(module, config);
    const made = await inTime(module.createConnector(config), longestMs);
    return { name, connector: made, ...(reach === undefined ? {} : { reach }) };
  } catch (cause) {
    const hint = isConnectorError(cause) ? cause.details.hint : undefined;
    const code = isConnectorError(cause) && cause.code === 'invalid' ? 'PACELINE_REQUEST_INVALID' : 'PACELINE_CLOUD_FAILED';
    throw new PacelineError(code, `The cloud ${name}${file === null ? '' : ` in ${file}`}: ${toError(cause).message}`, {
      cause,
      ...(hint !== undefined && { hint }),
    });
  }
}

/** Nobody waits for ever for a connector that asks somebody first. What comes later is closed. */
async function inTime(made: Connector | Promise<Connector>, longestMs: number): Promise<Connector> {
  if (!(made instanceof Promise)) return made;
  const late = Promise.withResolvers<never>();
  const error = new ConnectorError('timeout', `it has not been opened within ${longestMs / 1000} s`);
  const timer = setTimeout(() => {
    made.then((connector) => connector.close?.()).catch(() => {});
    late.reject(error);
  }, longestMs);
  return Promise.race([made, late.promise]).finally(() => clearTimeout(timer));
}

/** Why a cloud could not be opened, as its connector would say it. */
export function reasonOf(error: unknown): ConnectorError {
  const { message } = toError(error);
  const cause = isPacelineError(error) ? error.cause : undefined;
  const hint = isPacelineError(error) ? error.hint : undefined;
  const code = isConnectorError(cause) ? cause.code : mayOpenLater(error) ? 'unavailable' : 'invalid';
  return new ConnectorError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
}

function mayOpenLater(error: unknown): boolean {
  return !isPacelineError(error) || error.code === 'PACELINE_CLOUD_FAILED';
}

/** Connectors of others may rely on their schema; ours look for themselves, and know better what is wrong. */
function checkConfig({ name, configSchema }: LoadedModule, config: Record<string, unknown>): void {
  let schema: z.ZodType;
  try {
    schema = z.fromJSONSchema(configSchema);
  } catch (cause) {
    throw new ConnectorError('internal', `the configSchema of the connector ${name} is no JSON Schema: ${String(cause)}`, { cause });
  }
  const parsed = schema.safeParse(config);
  if (!parsed.success) throw new ConnectorError('invalid', `its configuration is wrong:\n${z.prettifyError(parsed.error)}`);
}
