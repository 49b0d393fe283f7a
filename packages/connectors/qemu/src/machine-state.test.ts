import { expect, test } from 'vitest';
import { machineState, type Evidence } from './machine-state.ts';

const running: Evidence = { ended: false, started: 'b1', fresh: false, alive: true, complaint: '', console: '', boot: 'b1' };
const panic = 'x\n[    4.1] Kernel panic - not syncing: VFS: Unable to mount root fs\r\nmore\n';

test.each<[string, Partial<Evidence>, { state: string; fault?: string; noRoom?: boolean }]>([
  ['runs', {}, { state: 'running' }],
  ['was not started', { started: undefined as never, alive: false }, { state: 'pending' }],
  ['is just being started', { alive: false, fresh: true }, { state: 'pending' }],
  ['is ended', { ended: true }, { state: 'stopping' }],
  ['was ended', { ended: true, alive: false }, { state: 'stopped' }],
  ['has switched itself off', { alive: false, exit: 0 }, { state: 'stopped', fault: 'it was switched off from inside' }],
  ['was too old', { alive: false, exit: 124 }, { state: 'stopped', fault: 'its end of life' }],
  ['could not be started', { alive: false, exit: 1, complaint: 'no memory' }, { state: 'error', fault: 'no memory' }],
  ['broke', { alive: false, exit: 139 }, { state: 'error', fault: 'QEMU ended with status 139' }],
  ['was killed', { alive: false }, { state: 'stopped', fault: 'its process was killed' }],
  ['was there before the host was restarted', { alive: false, boot: 'b2' }, { state: 'stopped', fault: 'the host was restarted' }],
  ['panics', { console: panic }, { state: 'error', fault: 'Kernel panic - not syncing: VFS: Unable to mount root fs' }],
  [
    'writes to a full disk',
    { status: 'io-error' },
    { state: 'error', fault: 'the disk of this host is full: the machine was stopped as it wrote to its own', noRoom: true },
  ],
  ['has panicked, and come up again', { console: `${panic}[ 0.0] Linux version 6.1\n` }, { state: 'running' }],
])('a machine that %s', (_, evidence, expected) => {
  const { started, ...rest } = { ...running, ...evidence };
  expect(machineState({ ...rest, ...(started !== undefined && { started }) })).toEqual(expected);
});
