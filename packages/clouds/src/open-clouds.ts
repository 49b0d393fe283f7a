import type { Cloud } from '@paceline/engine';
import { ConnectorError, isConnectorError } from '@paceline/engine/connector';
import { PacelineError } from '@paceline/model';
import * as z from 'zod';
import type { CloudsSource } from './clouds-file.ts';
import { isBuiltIn, loadConnector, type LoadedModule } from './connector-package.ts';

/**
 * Makes the configured clouds ready for the engine.
 * @param program folder of the program, where connectors are looked for that are not beside the file
 * @throws PACELINE_CLOUD_UNKNOWN for a connector that is not there, PACELINE_REQUEST_INVALID for a configuration that it refuses
 */
export async function openClouds({ entries, folder, file }: CloudsSource, program: string): Promise<Cloud[]> {
  const folders = [folder, program];
  return Promise.all(
    entries.map(async ({ name, connector, reach, config }) => {
      const module = await loadConnector(connector, folders);
      try {
        if (!isBuiltIn(connector)) checkConfig(module, config);
        return { name, connector: await module.createConnector(config), ...(reach === undefined ? {} : { reach }) };
      } catch (cause) {
        if (!isConnectorError(cause)) throw cause;
        throw new PacelineError('PACELINE_REQUEST_INVALID', `The cloud ${name}${file === null ? '' : ` in ${file}`}: ${cause.message}`, {
          cause,
          ...(cause.details.hint === undefined ? {} : { hint: cause.details.hint }),
        });
      }
    }),
  );
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
