import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openApiText } from './openapi-text.ts';

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; in: string; required: boolean; schema?: object }[];
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const text = await openApiText();
const document = JSON.parse(text) as Document;
const operations = Object.entries(document.paths).flatMap(([path, byMethod]) =>
  Object.entries(byMethod).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
);

describe('the OpenAPI document', () => {
  it('is the one in docs (else `npm run openapi` in packages/server writes it anew)', async () => {
    expect(await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')).toBe(text);
  });

  it('is of version 3.1 and holds all public routes', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations.map(({ name }) => name)).toMatchInlineSnapshot(`
      [
        "GET /api/health",
        "GET /api/info",
        "POST /api/sessions",
        "POST /api/session",
        "GET /api/session",
        "DELETE /api/session",
        "GET /api/login",
        "GET /api/users",
        "PUT /api/users/{user}",
        "DELETE /api/users/{user}",
        "PUT /api/users/{user}/grants/{project}",
        "DELETE /api/users/{user}/grants/{project}",
        "GET /api/tokens",
        "POST /api/tokens",
        "DELETE /api/tokens/{token}",
        "GET /api/audit",
        "GET /api/usage",
        "POST /api/runs",
        "GET /api/runs",
        "GET /api/runs/{run}",
        "DELETE /api/runs/{run}",
        "POST /api/runs/{run}/abort",
        "DELETE /api/runs/{run}/abort",
        "POST /api/runs/{run}/scale",
        "GET /api/modules",
        "POST /api/modules",
        "GET /api/modules/{module}",
        "DELETE /api/modules/{module}",
        "POST /api/modules/{module}/copy",
        "PUT /api/modules/{module}/deprecation",
        "PUT /api/modules/{module}/channels/{channel}",
        "DELETE /api/modules/{module}/channels/{channel}",
        "GET /api/images",
        "POST /api/images",
        "PUT /api/images/{image}",
        "DELETE /api/images/{image}",
        "PUT /api/images/{image}/channels/{channel}",
        "GET /api/runs/{run}/instances/{instance}/console",
        "POST /api/runs/{run}/instances/{instance}/way-in",
        "GET /api/runs/{run}/parameters",
        "GET /api/runs/{run}/parameters/{key}",
        "PUT /api/runs/{run}/parameters/{key}",
        "DELETE /api/runs/{run}/parameters/{key}",
        "GET /api/runs/{run}/events",
        "GET /api/runs/{run}/logs",
        "GET /api/runs/{run}/reports",
        "GET /api/runs/{run}/reports/{name}",
        "POST /api/reap",
        "GET /api/clouds",
      ]
    `);
  });

  it.each(operations)('describes $name in full', ({ path, operation }) => {
    expect(operation.summary).toMatch(/^[A-Z].{5,80}[^.]$/);
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(document.tags.map(({ name }) => name)).toContain(operation.tags?.[0]);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const declared = (operation.parameters ?? []).filter((one) => one.in === 'path');
    expect(declared.map(({ name }) => name).toSorted()).toEqual(inPath.toSorted());
    expect(declared.every(({ required }) => required)).toBe(true);
    const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
    expect(good.length).toBeGreaterThan(0);
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(description).not.toBe('');
      if (status !== '204') expect(Object.values(content ?? {}).every(({ schema }) => typeof schema === 'object')).toBe(true);
      if (status !== '204') expect(Object.keys(content ?? {})).not.toEqual([]);
    }
    expect(operation.responses['default']?.content).toHaveProperty(['application/problem+json']);
  });

  it('gives each operation an identifier of its own', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refers to schemas that are there, and holds none that nobody refers to', () => {
    const references = new Set([...text.matchAll(/"\$ref": "#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name));
    expect([...references].toSorted()).toEqual(Object.keys(document.components.schemas).toSorted());
    expect([...text.matchAll(/"\$ref": "(?!#\/components\/schemas\/\w+")/g)]).toEqual([]);
  });

  it('closes what is sent to the server, and leaves open what it answers with', () => {
    const closed = Object.entries(document.components.schemas).filter(([, schema]) =>
      JSON.stringify(schema).includes('"additionalProperties":false'),
    );
    expect(closed.map(([name]) => name)).toEqual([
      'DeploymentInput',
      'ImageInput',
      'ParameterWriteInput',
      'RunRequestInput',
      'TokenRequestInput',
      'Deployment',
      'Image',
    ]);
    const answers = operations.flatMap(({ operation }) => Object.values(operation.responses));
    expect(JSON.stringify(answers)).not.toContain('"additionalProperties":false');
  });

  it('asks for a token everywhere but for the health of the server and where one is given out', () => {
    const open = operations.filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ name }) => name)).toEqual([
      'GET /api/health',
      'POST /api/sessions',
      'POST /api/session',
      'DELETE /api/session',
      'GET /api/login',
    ]);
  });
});
