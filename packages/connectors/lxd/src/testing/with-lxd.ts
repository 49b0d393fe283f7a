import { existsSync } from 'node:fs';
import { context } from '@paceline/connector-host/testing';
import { isConnectorError } from '@paceline/engine/connector';
import type { TestContext } from 'vitest';
import { connectorModule } from '../index.ts';

/** The server of the testbed, or another that the tests may use. */
export const testSocket = process.env['PACELINE_LXD_SOCKET'] ?? '/var/lib/paceline-testbed/lxd/dir/unix.socket';
export const testImage = process.env['PACELINE_LXD_IMAGE'] ?? 'debian-12';

async function whyNot(): Promise<string | undefined> {
  if (!existsSync(testSocket)) {
    return `there is no ${testSocket}: npm run testbed -- lxd`;
  }
  try {
    await connectorModule.createConnector({ socket: testSocket, image: testImage }).probe(context);
    return undefined;
  } catch (error) {
    return isConnectorError(error) ? `${error.message}. ${error.details.hint ?? ''}` : String(error);
  }
}

/** Why there is no server for us; undefined if there is. */
export const reason = await whyNot();
if (reason !== undefined) {
  console.warn(`Machines of LXD are not tested here: ${reason}`);
}

/** The body of a test with a real server. Where there is none it is skipped, and says why. */
export function withLxd(body: () => Promise<void>): (context: TestContext) => Promise<void> {
  return async ({ skip }) => {
    skip(reason !== undefined, reason);
    await body();
  };
}
