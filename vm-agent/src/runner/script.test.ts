import { expect, test } from 'vitest';
import { failureOf } from './command.ts';
import { interpreterArgv, scriptName } from './script.ts';

test('the name of the file is SlipStream’s', () => {
  expect(scriptName('examples/tutorials/service-testing/apache', 'Deployment')).toBe(
    'examples_tutorials_service-testing_apache__deployment',
  );
  expect(scriptName('Module/A b', 'On VM Add')).toBe('module_a-b__on-vm-add');
  expect(scriptName('../../etc', 'x')).toBe('.._.._etc__x');
  const long = scriptName(`${'ü'.repeat(200)}/x`, 'Deployment');
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(200);
  expect(long).not.toBe(scriptName(`${'ü'.repeat(200)}/y`, 'Deployment'));
});

test.each([
  ['echo', ['/bin/sh', 'f']],
  ['', ['/bin/sh', 'f']],
  ['#!/bin/sh', ['/bin/sh', 'f']],
  ['#! /bin/sh -e -x \necho', ['/bin/sh', '-e -x', 'f']],
  ['#!/usr/bin/env bash\n', ['/usr/bin/env', 'bash', 'f']],
  ['#!\necho', ['/bin/sh', 'f']],
])('%j is started as %j', (text, argv) => expect(interpreterArgv(text, 'f')).toEqual(argv));

test('what the kernel would say badly', () => {
  expect(() => interpreterArgv('#!/bin/sh\r\n', 'f')).toThrow(/^the first line, '#!\/bin\/sh', ends with a carriage return/);
  expect(() => interpreterArgv('#!/tmp\n', 'f')).toThrow("there is no interpreter '/tmp' on this machine (first line of the script)");
});

test.each([
  [{ code: 3, signal: undefined }, '', 'exit code 3'],
  [{ code: 3, signal: undefined }, 'why', 'why'],
  [{ code: 137, signal: 'SIGKILL' }, '', 'killed by SIGKILL'],
  [{ code: 137, signal: 'SIGKILL' }, 'why', 'why (killed by SIGKILL)'],
  [{ code: undefined, signal: undefined }, '', 'killed (it left no exit code)'],
])('%j after %j: %s', (exit, lastWord, words) => expect(failureOf(exit, lastWord)).toBe(words));
