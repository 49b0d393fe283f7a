/** An engine in a process of its own, to be killed: makes the launch that is given as JSON. */
import { context } from '@paceline/connector-host/testing';
import type { LaunchRequest } from '@paceline/engine/connector';
import { connectorModule } from '../index.ts';

const { config, request } = JSON.parse(process.argv[2] ?? '') as { config: Record<string, unknown>; request: LaunchRequest };
// Bytes and dates are not as they were after JSON.
const machines = request.machines.map((machine) => ({ ...machine, userData: Uint8Array.from(Object.values(machine.userData)) }));
await connectorModule.createConnector(config).launch({ ...request, machines, expiresAt: new Date(request.expiresAt) }, context);
