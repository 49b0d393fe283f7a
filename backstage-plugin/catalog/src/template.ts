import { fieldsOf, isSecret, type Field, type ModuleContent } from '@paceline/api';
import type { Entity } from '@backstage/catalog-model';

type Schema = Record<string, string | number | boolean | string[]>;

/** A Software Template that asks for the parameters of a deployment and runs this version of it. */
export function templateOf({ module, deployment }: ModuleContent, metadata: Entity['metadata'], owner: string): Entity {
  const fields = fieldsOf(deployment);
  const runName = freeName(fields.map(({ key }) => key));
  return {
    apiVersion: 'scaffolder.backstage.io/v1beta3',
    kind: 'Template',
    metadata,
    spec: {
      type: 'paceline-deployment',
      owner,
      parameters: [
        {
          title: 'What to run',
          required: fields.filter(({ spec }) => spec.required === true && spec.default === undefined).map(({ key }) => key),
          properties: {
            [runName]: { title: 'Name of the run', type: 'string', maxLength: 100, default: module.name.slice(0, 100) },
            ...Object.fromEntries(fields.map((field) => [field.key, schemaOf(field)])),
          },
        },
      ],
      steps: [
        {
          id: 'run',
          name: `Run ${metadata.title ?? module.name}`,
          action: 'paceline:run',
          input: {
            deployment: `${module.name}@${module.version}`,
            name: valueOf('parameters', runName),
            parameters: Object.fromEntries(fields.map(({ key, spec }) => [key, valueOf(isSecret(spec) ? 'secrets' : 'parameters', key)])),
          },
        },
      ],
      output: {
        links: [
          { title: 'The run', icon: 'dashboard', url: '${{ steps.run.output.url }}' },
          { title: 'The service', icon: 'web', if: '${{ steps.run.output.serviceUrl }}', url: '${{ steps.run.output.serviceUrl }}' },
        ],
      },
    },
  };
}

/** Keys may have dots and colons. */
function valueOf(scope: 'parameters' | 'secrets', key: string): string {
  return `\${{ ${scope}[${JSON.stringify(key)}] }}`;
}

/** A name for the field of the run's own name, which a deployment may have given to a parameter. */
function freeName(taken: readonly string[]): string {
  let name = 'runName';
  while (taken.includes(name)) name += '_';
  return name;
}

function schemaOf({ label, spec }: Field): Schema {
  const { type, description, default: given, values, minimum, maximum, pattern } = spec;
  // Patterns are anybody's who publishes, and Backstage and browsers would match them with what can take for ever.
  const said = [description, pattern === undefined ? undefined : `It has to match ${pattern}`].filter((part) => part !== undefined);
  const common: Schema = { title: label, ...(said.length === 0 ? {} : { description: said.join('. ') }) };
  if (isSecret(spec)) return { ...common, type: 'string', 'ui:field': 'Secret' };
  const bounds = { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
  switch (type) {
    case 'boolean':
      return { ...common, type: 'boolean', ...(given === undefined ? {} : { default: given === 'true' }) };
    case 'integer':
    case 'number':
      return { ...common, type, ...bounds, ...(given === undefined ? {} : { default: Number(given) }) };
    case 'enum':
      return { ...common, type: 'string', enum: values ?? [], ...(given === undefined ? {} : { default: given }) };
    case 'text':
      return { ...common, type: 'string', 'ui:widget': 'textarea', ...(given === undefined ? {} : { default: given }) };
    case 'string':
    case 'password':
      return { ...common, type: 'string', ...(given === undefined ? {} : { default: given }) };
  }
}
