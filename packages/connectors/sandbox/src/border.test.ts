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
  ['for which there is no memory', 'echo Cannot allocate memory >&2; exit 1', `${fault} nft: Cannot allocate memory`],
  ['whose program is not there for a moment', 'echo No such file or directory >&2; exit 127', `${fault} nft: No such file or directory`],
  [
    'that failed at first',
    '[ -e "$0.again" ] || { echo full >&2; echo >>"$0.tries"; [ "$(wc -l <"$0.tries")" -lt 2 ] || : >"$0.again"; exit 1; }',
    'there',
  ],
  ['that the kernel does not know', 'echo "Error: Could not process rule: Operation not supported" >&2; exit 1', 'there'],
  ['that is there', 'exit 0', 'there'],
] as const)('a machine with a border %s', ([, nft, outcome], context) =>
  withMachines(async () => expect(plugWith(nft)).toBe(outcome), notRoot)(context),
);
