import type { Cloud } from '@paceline/engine';
import { isConnectorError } from '@paceline/engine/connector';
import { PacelineError } from '@paceline/model';
import type { CloudsSource } from './clouds-file.ts';
import { loadConnector } from './connector-package.ts';

/**
 * Makes the configured clouds ready for the engine.
 * @throws PACELINE_CLOUD_UNKNOWN for a connector that is not there, PACELINE_REQUEST_INVALID for a configuration that it refuses
 */
export async function openClouds({ entries, folder, file }: CloudsSource): Promise<Cloud[]> {
  const folders = [folder, import.meta.dirname];
  return Promise.all(
    entries.map(async ({ name, connector, reach, config }) => {
      const module = await loadConnector(connector, folders);
      try {
        return { name, connector: module.createConnector(config), ...(reach === undefined ? {} : { reach }) };
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
