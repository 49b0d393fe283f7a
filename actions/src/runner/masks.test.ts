import { loadModule, memoryFiles } from '@paceline/model';
import { expect, test } from 'vitest';
import { secretValues } from './masks.ts';

const module = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name }, spec });
const files = {
  '/p/web.yaml': module('Image', 'web', { parameters: { key: { type: 'password' }, note: {} }, scripts: { deploy: '#!/bin/sh\n' } }),
  '/p/all.yaml': module('Deployment', 'all', {
    parameters: { license: { type: 'password' }, title: {} },
    nodes: { web: { image: './web.yaml' } },
  }),
};

test('a secret is known as one however its parameter is named', async () => {
  const load = async (path: string) => (await loadModule(path, { fs: memoryFiles(files) })).deployment;
  const all = await load('/p/all.yaml');
  expect(secretValues({ license: 'a', title: 'b', 'web:key': 'c', 'web:note': 'd' }, all)).toEqual(['a', 'c']);
  expect(secretValues({ 'ss:license': 'a', 'ss:title': 'b', 'nowhere:key': 'e' }, all)).toEqual(['a']);
  expect(secretValues({ key: 'a', note: 'b' }, await load('/p/web.yaml'))).toEqual(['a']);
});
