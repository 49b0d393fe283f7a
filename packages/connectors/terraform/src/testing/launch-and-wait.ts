// An engine, as far as launching goes; its test kills it.
import { context, launchRequest } from '@paceline/connector-host/testing';
import { connectorModule } from '../index.ts';

const [settings, token] = JSON.parse(process.argv[2] ?? '') as [Record<string, unknown>, string];
await connectorModule.createConnector(settings).launch(launchRequest('#!/bin/sh\n', { token }), context);
process.send?.('launched');
setInterval(() => undefined, 1000);
