/** An engine in a process of its own: makes the launch that is given as JSON, prints the ids, and is gone, as after a crash. */
import { connectorModule } from '../index.ts';
import { context, launchRequest } from './host.ts';

const { root, userData, token, count, expiresInMs } = JSON.parse(process.argv[2] ?? '');
const connector = connectorModule.createConnector({ root });
const machines = await connector.launch(launchRequest(userData, { token, count, expiresAt: new Date(Date.now() + expiresInMs) }), context);
process.stdout.write(JSON.stringify(machines.map(({ id }) => id)), () => process.kill(process.pid, 'SIGKILL'));
