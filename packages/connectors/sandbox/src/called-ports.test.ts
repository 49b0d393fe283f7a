import { expect, test } from 'vitest';
import { calledPorts } from './called-ports.ts';

test.each([
  ['curl http://192.0.2.1:8080/agent https://engine.example/', [8080, 443]],
  ["url='http://[2001:db8::1]:81' http://host", [81, 80]],
  ['http://127.0.0.1:1 http://localhost:2 http://[::1]:3 http://localhost.example:4', [4]],
  ["url='http://engine.invalid' http://engine.invalid:81 http://engine.invalid.example:82", [82]],
  ['http://a:70000 http://a:8 http://b:8 ftp://c:9', [8]],
])('%s', (text, ports) => {
  expect(calledPorts(text)).toEqual(ports);
});
