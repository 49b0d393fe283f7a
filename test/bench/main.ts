import { coordination } from './coordination.ts';
import { print } from './table.ts';

print(await coordination());
