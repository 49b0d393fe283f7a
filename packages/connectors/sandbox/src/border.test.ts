import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { networkProgram } from './programs/network-program.ts';
import { withMachines } from './testing/with-machines.ts';

const notRoot = process.getuid?.() === 0 ? undefined : 'only root can make a network without an account of its own';

/** What becomes of a machine in a new network of a run, where `nft` is this script. */
function plugWith(nft: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-border-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'nft');
  writeFileSync(path, `#!/bin/sh\nrules=$(cat)\n${nft}\n`, { mode: 0o755 });
  const settings = { nft: path, slirp: null, privileged: false, pool: '10.87.0.0/16', prefix: 22 };
  const plug = [
    'import json',
    `switch = Switch(json.loads(${JSON.stringify(JSON.stringify(settings))}), "0")`,
    'try:',
    '    switch.plug(0)',
    '    print("there")',
    'except RuntimeError as error:',
    '    print(error)',
  ].join('\n');
  const args = ['--net', 'python3', '-I', '-S', '-c', `${networkProgram}\n${plug}`];
  return execFileSync('unshare', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

const fault = 'machines are not kept from this host and from other runs:';

test.for([
  ['that failed where it is possible', 'case $rules in *world*) echo table is full >&2; exit 1 ;; esac', `${fault} nft: table is full`],
  ['whose program was killed', 'kill -KILL $$', `${fault} nft was ended by signal 9`],
  ['that the kernel does not know', 'exit 1', 'there'],
  ['that is there', 'exit 0', 'there'],
] as const)('a machine with a border %s', ([, nft, outcome], context) =>
  withMachines(async () => expect(plugWith(nft)).toBe(outcome), notRoot)(context),
);
