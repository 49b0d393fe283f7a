import { expect, it } from 'vitest';
import { parametersOf } from './request-parameters.ts';

it.each([
  ['clients: 3\nweb:key=hunter2hunter2\n', 'line 2'],
  ['key: "hunter2hunter2\n', 'line '],
  ['key: hunter2hunter2: more\n', 'line 1'],
  ['key: *hunter\n', 'is not valid YAML'],
])('says where parameters are no YAML, and shows none of them: %j', (text, where) => {
  let said = '';
  try {
    parametersOf(text, 'parameters');
  } catch (error) {
    said = (error as Error).message;
  }
  expect(said).toContain('parameters is not valid YAML');
  expect(said).toContain(where);
  expect(said).not.toContain('hunter2');
});
