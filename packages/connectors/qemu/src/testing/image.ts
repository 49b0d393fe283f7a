import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context } from '@paceline/connector-host/testing';
import { isConnectorError } from '@paceline/engine/connector';
import { connectorModule } from '../index.ts';

/** The image of the testbed, or another that the tests may use. */
export const testImage = process.env['PACELINE_QEMU_IMAGE'] ?? '/var/lib/paceline-testbed/qemu/images/debian-12';

/** Without hardware virtualisation a machine takes a minute or two to boot, so few tests do that unless they are asked to. */
export const bootsMany = process.env['PACELINE_QEMU_BOOTS'] === 'many';

/** Why there can be no machines here; undefined if there can. */
async function whyNot(): Promise<string | undefined> {
  if (!existsSync(testImage)) {
    return `there is no ${testImage}: npm run testbed -- qemu`;
  }
  const root = await mkdtemp(join(tmpdir(), 'paceline-probe-'));
  try {
    await connectorModule.createConnector({ root, accelerator: 'tcg', image: testImage }).probe(context);
    return undefined;
  } catch (error) {
    return isConnectorError(error) ? `${error.message}. ${error.details.hint ?? ''}` : String(error);
  } finally {
    await rm(root, { recursive: true });
  }
}

export const reason = await whyNot();
if (reason !== undefined) {
  console.warn(`Machines of QEMU are not tested here: ${reason}`);
}
