import { agent } from './agent.ts';
import { cluster } from './cluster.ts';
import { coordination } from './coordination.ts';
import { print } from './table.ts';

print([...(await coordination()), await cluster(30), ...(await agent())]);
