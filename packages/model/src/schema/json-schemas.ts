import * as z from 'zod';
import { deploymentFile } from './deployment.ts';
import { imageFile } from './image.ts';
import { projectFile } from './project.ts';

/** Where the schemas are published; files of `paceline init` point there. */
export const schemaBaseUrl = 'https://paceline.dev/schemas/v1';

export const moduleSchemas = { Image: imageFile, Deployment: deploymentFile, Project: projectFile } as const;
export type ModuleKind = keyof typeof moduleSchemas;

/** The published JSON Schemas (2020-12) of the module files, by file name. */
export function jsonSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(moduleSchemas).map(([kind, schema]) => {
      const name = `${kind.toLowerCase()}.schema.json`;
      const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
      return [name, { $schema, $id: `${schemaBaseUrl}/${name}`, title: `Paceline ${kind}`, ...rest }];
    }),
  );
}
