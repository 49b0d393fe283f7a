import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonSchemas } from './json-schemas.ts';

test.each(Object.entries(jsonSchemas()))('schemas/%s is up to date (npm run schemas)', (name, schema) => {
  const published: unknown = JSON.parse(readFileSync(new URL(`../../schemas/${name}`, import.meta.url), 'utf8'));
  expect(published).toEqual(schema);
});

test('every field has a description for the editor', () => {
  const silent: string[] = [];
  const walk = (path: string, schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties, ...rest } = schema as { properties?: Record<string, { description?: string }> };
    for (const [key, field] of Object.entries(properties ?? {})) {
      if (!field.description) silent.push(`${path}.${key}`);
      walk(`${path}.${key}`, field);
    }
    for (const [key, inner] of Object.entries(rest)) walk(`${path}/${key}`, inner);
  };
  for (const [name, schema] of Object.entries(jsonSchemas())) walk(name, schema);
  expect(silent).toEqual([]);
});
