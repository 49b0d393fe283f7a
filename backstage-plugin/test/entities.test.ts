import type { ModuleContent } from '@paceline/api';
import { diskFiles, loadModule } from '@paceline/model';
import { entityEnvelopeSchemaValidator, type Entity } from '@backstage/catalog-model';
import { expect, it } from 'vitest';
import { entityNameOf } from '../catalog/src/annotations.ts';
import { entitiesOf } from '../catalog/src/entities.ts';
import { repository } from '../../test/support/system.ts';

const validEnvelope = entityEnvelopeSchemaValidator();

async function published(path: string, change: Partial<ModuleContent['module']> = {}): Promise<ModuleContent> {
  const { deployment } = await loadModule(path, { fs: diskFiles(), cwd: repository });
  const { kind, name, title = '', description = '', tags } = deployment;
  const about = {
    version: 3,
    digest: 'd',
    author: 'a',
    comment: '',
    commit: '',
    publishedAt: new Date().toISOString(),
    deprecated: null,
    channels: [],
  };
  return { module: { kind, name, title, description, tags, ...about, ...change }, deployment };
}

it('makes a resource and a template of a deployment, whose form and input are its parameters', async () => {
  const [resource, template] = entitiesOf([await published('examples/postgres-replication')], 'group:default/sellers');
  for (const entity of [resource, template]) expect(validEnvelope(entity)).toBe(entity);
  expect(resource).toMatchObject({ kind: 'Resource', spec: { type: 'paceline-deployment', owner: 'group:default/sellers' } });
  expect(template?.spec?.['parameters']).toMatchInlineSnapshot(`
    [
      {
        "properties": {
          "rows": {
            "default": 1000,
            "description": "How many rows the client writes",
            "minimum": 1,
            "title": "rows",
            "type": "integer",
          },
          "runName": {
            "default": "postgres-replication",
            "maxLength": 100,
            "title": "Name of the run",
            "type": "string",
          },
          "standbys": {
            "default": 2,
            "description": "How many servers follow the primary",
            "maximum": 20,
            "minimum": 1,
            "title": "standbys",
            "type": "integer",
          },
        },
        "required": [],
        "title": "What to run",
      },
    ]
  `);
  expect(template?.spec?.['steps']).toMatchInlineSnapshot(`
    [
      {
        "action": "paceline:run",
        "id": "run",
        "input": {
          "deployment": "postgres-replication@3",
          "name": "\${{ parameters["runName"] }}",
          "parameters": {
            "rows": "\${{ parameters["rows"] }}",
            "standbys": "\${{ parameters["standbys"] }}",
          },
        },
        "name": "Run PostgreSQL with standbys",
      },
    ]
  `);
});

it('takes secrets from the secrets of the task, and leaves what recipes set alone', async () => {
  const content = await published('examples/client-server');
  content.deployment.parameters['license'] = { type: 'password', required: true };
  content.deployment.parameters['url'] = { type: 'string', output: true };
  const [, template] = entitiesOf([content], 'x');
  expect(template).toMatchObject({
    spec: {
      parameters: [{ required: ['license'], properties: { license: { type: 'string', 'ui:field': 'Secret' } } }],
      steps: [{ input: { parameters: { license: '${{ secrets["license"] }}', clients: '${{ parameters["clients"] }}' } } }],
    },
  });
  expect(JSON.stringify(template)).not.toContain('url"]');
});

it('leaves patterns to the server: those of strangers would stop Backstage, and the browser of whoever fills the form in', async () => {
  const content = await published('examples/client-server');
  content.deployment.parameters['title'] = { type: 'string', pattern: String.raw`(\w+\s?)+`, description: 'Above the page' };
  const [, template] = entitiesOf([content], 'x');
  expect(template).toMatchObject({
    spec: { parameters: [{ properties: { title: { description: String.raw`Above the page. It has to match (\w+\s?)+` } } }] },
  });
  expect(JSON.stringify(template)).not.toContain('"pattern"');
});

it('asks for the name of the run beside a parameter that is named so', async () => {
  const content = await published('examples/client-server');
  content.deployment.parameters['runName'] = { type: 'string', default: 'of the parameter' };
  const [, template] = entitiesOf([content], 'x');
  expect(template).toMatchObject({
    spec: {
      parameters: [{ properties: { runName: { default: 'of the parameter' }, runName_: { title: 'Name of the run' } } }],
      steps: [{ input: { name: '${{ parameters["runName_"] }}', parameters: { runName: '${{ parameters["runName"] }}' } } }],
    },
  });
});

it('has names for all modules, each its own', () => {
  const names = ['shop/web', 'shop-web', 'Shop-Web', 'ünïcode', '名前', `${'long/'.repeat(40)}x`, 'a'.repeat(64)].map(entityNameOf);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/);
});

it('offers no template of what is deprecated, and none of an image, on which deployments depend', async () => {
  const [old, image, deployment] = [
    await published('examples/client-server', { deprecated: 'use another' }),
    await published('examples/client-server/web'),
    await published('examples/client-server'),
  ];
  const kinds = (contents: ModuleContent[]): string[] => entitiesOf(contents, 'x').map((entity: Entity) => entity.kind);
  expect(kinds([old])).toEqual(['Resource']);
  expect(kinds([image])).toEqual(['Resource']);
  expect(entitiesOf([image, deployment], 'x')[1]?.spec?.['dependsOn']).toEqual([`resource:default/${entityNameOf(image.module.name)}`]);
});
