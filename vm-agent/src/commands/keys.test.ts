import { expect, test } from 'vitest';
import { qualifyKey } from './keys.ts';

test.each([
  ['ready', 'web.2:ready'],
  ['webserver.ready', 'web.2:webserver.ready'],
  ['ss-repo-conf-url', 'web.2:ss-repo-conf-url'],
  ['ids', 'web:ids'],
  ['multiplicity', 'web:multiplicity'],
  ['db:host', 'db.1:host'],
  ['db.3:host', 'db.3:host'],
  ['db:ids', 'db:ids'],
  ['db:multiplicity', 'db:multiplicity'],
  ['ss:state', 'ss:state'],
  ['machine:hostname', 'machine:hostname'],
  ['orchestrator:x', 'orchestrator:x'],
  ['orchestrator-ec2:x', 'orchestrator-ec2:x'],
])('%s', (key, full) => expect(qualifyKey(key, 'web.2')).toBe(full));

test('in a run of a single component', () => {
  expect(qualifyKey('port', 'machine')).toBe('machine:port');
});
