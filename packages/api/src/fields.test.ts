import { expect, test } from 'vitest';
import { fieldsOf, givenValues } from './fields.ts';

type Deployment = Parameters<typeof fieldsOf>[0];
const deployment = {
  kind: 'Deployment',
  parameters: { clients: { type: 'integer', default: '2' }, result: { type: 'string', output: true } },
  nodes: {
    web: {
      image: {
        parameters: {
          license: { type: 'password', required: true },
          port: { type: 'integer', default: '80' },
          ready: { type: 'boolean', output: true },
        },
      },
      parameters: {},
    },
    client: { image: { parameters: { server: { type: 'string', required: true } } }, parameters: { server: { from: 'web:hostname' } } },
  },
} as unknown as Deployment;

test('a form asks for what the user may say, and for what nothing else does', () => {
  expect(fieldsOf(deployment).map(({ key, label }) => [key, label])).toEqual([
    ['clients', 'clients'],
    ['web:license', 'license of web'],
  ]);
});

test('only what differs from the defaults is sent', () => {
  const fields = fieldsOf(deployment);
  expect(givenValues(fields, {})).toEqual({});
  expect(givenValues(fields, { clients: '2', 'web:license': 'x' })).toEqual({ 'web:license': 'x' });
});
