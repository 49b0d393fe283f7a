import { expect, test } from 'vitest';
import { loopbackAddresses } from './loopback.ts';

test.each<[string, string[]]>([
  ["url='http://127.0.0.1:8080'", ['127.0.0.1 8080']],
  ['https://127.0.0.1/x http://127.3.2.1:9', ['127.0.0.1 443', '127.3.2.1 9']],
  ['http://localhost:80/ http://localhost', ['127.0.0.1 80', '::1 80']],
  ['"http://[::1]:7"', ['::1 7']],
  ['http://127.0.0.1:1 http://127.0.0.1:1', ['127.0.0.1 1']],
  ['http://10.0.0.1:80 http://localhost.example:80 http://127.0.0.1:99999 http://127.0.0.1.example', []],
  ['', []],
])('%s', (text, expected) => {
  expect(loopbackAddresses(text).map(({ address, port }) => `${address} ${port}`)).toEqual(expected);
});
