/**
 * A server in a process of its own, so that a test can kill it: `server-main.ts STATE LOCAL AGENT`. `TEST_DATABASE` is that of
 * several servers, `TEST_PUBLIC_URL` the one address of all of them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectorModule } from '@paceline/connector-local';
import { lightCloud } from './light-cloud.ts';
import { openServer, StateDirectory } from '@paceline/server';

const dashboardPath = join(import.meta.dirname, '../../packages/cli/dist/dashboard');
const [statePath = '', root = '', agentPath = '', maxReportBytes] = process.argv.slice(2);
const { TEST_DATABASE: database, TEST_PUBLIC_URL: publicUrl } = process.env;
const state = await StateDirectory.open(statePath);
const server = await openServer({
  state,
  host: '127.0.0.1',
  port: 0,
  clouds: [
    { name: 'local', connector: connectorModule.createConnector({ root }) },
    { name: 'light', connector: lightCloud(`${root}-light`) },
  ],
  agentPath,
  ...(existsSync(dashboardPath) ? { dashboardPath } : {}),
  version: '0.0.0',
  logger: { level: process.env['LOG_LEVEL'] ?? 'error' },
  ...(database === undefined ? {} : { database }),
  ...(publicUrl === undefined ? {} : { publicUrl }),
  ...(maxReportBytes === undefined ? {} : { maxReportBytes: Number(maxReportBytes) }),
});
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
process.send?.({ url: server.url, token: await state.operatorToken() });
// Whoever started it is gone.
process.on('disconnect', () => process.exit(1));
