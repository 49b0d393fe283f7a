/** An engine in a process of its own: makes the launch that is given as JSON, prints the ids, and is gone, as after a crash. */
import { context, launchRequest } from '@paceline/connector-host/testing';
import { connectorModule } from '../index.ts';

const { config, userData, token, count, image, expiresInMs } = JSON.parse(process.argv[2] ?? '');
const connector = connectorModule.createConnector(config);
const expiresAt = new Date(Date.now() + expiresInMs);
const machines = await connector.launch(launchRequest(userData, { token, count, image, expiresAt }), context);
process.stdout.write(JSON.stringify(machines.map(({ id }) => id)), () => process.kill(process.pid, 'SIGKILL'));
