import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context } from '@paceline/connector-host/testing';
import { isConnectorError } from '@paceline/engine/connector';
import type { TestContext } from 'vitest';
import { connectorModule } from '../index.ts';
import { testImage } from './sandbox.ts';

async function whyNot(): Promise<string | undefined> {
  const root = await mkdtemp(join(tmpdir(), 'paceline-probe-'));
  try {
    await connectorModule.createConnector({ root }).probe(context);
  } catch (error) {
    return isConnectorError(error) ? `${error.message}. ${error.details.hint ?? ''}` : String(error);
  } finally {
    await rm(root, { recursive: true });
  }
  if (testImage !== '') {
    return undefined;
  }
  if (process.getuid?.() !== 0) {
    return 'not root, and PACELINE_SANDBOX_IMAGE names no image';
  }
  return ['/usr/bin', '/bin'].some((folder) => existsSync(join(folder, 'cloud-init')))
    ? undefined
    : 'this host has no cloud-init: apt-get install --no-install-recommends cloud-init';
}

/** Why there can be no machines here; undefined if there can. */
export const reason = await whyNot();
if (reason !== undefined) {
  console.warn(`Sandbox machines are not tested here: ${reason}`);
}

/** Why what machines call cannot be limited here; undefined if it can. */
export const filterReason = await whyNoFilter();

async function whyNoFilter(): Promise<string | undefined> {
  const notes: string[] = [];
  if (reason === undefined)
    await connectorModule
      .createConnector({ root: tmpdir() })
      .probe({ ...context, log: { ...context.log, info: (note) => notes.push(note) } });
  return notes.find((note) => note.includes('machines of other runs'));
}

/**
 * The body of a test with real machines. Where there can be none it is skipped, and says why.
 * @param more a reason of this test alone
 */
export function withMachines(body: () => Promise<void>, more?: string): (context: TestContext) => Promise<void> {
  return async ({ skip }) => {
    const why = reason ?? more;
    skip(why !== undefined, why);
    await body();
  };
}
