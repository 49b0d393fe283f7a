import * as z from 'zod';
import { envelope } from './metadata.ts';

/** A file of kind `Project`: marks a folder, and with it the border that no path of a module may cross. */
export const projectFile = envelope('Project', z.strictObject({}).optional().describe('A project has no settings of its own.'));
export type ProjectFile = z.infer<typeof projectFile>;
