import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';
import { cleanEnvironment, emulator } from './command.ts';
import type { Site } from './site.ts';
import { exitPort, exitStatus, tinyGuest } from './tiny-guest.ts';

export type Accelerator = 'kvm' | 'tcg';

/** Under real KVM the guest takes half a second. Where each of its instructions is emulated it would take minutes. */
const deadlineMs = 8_000;

const noteSchema = z.object({ boot: z.string(), accelerator: z.enum(['kvm', 'tcg']), why: z.string() });

export type AcceleratorChoice = Omit<z.output<typeof noteSchema>, 'boot'>;

/**
 * KVM where a guest really makes progress on it, in time; a device that can be opened says nothing. Tried once per boot of the host.
 * @throws unsupported where KVM is asked for and does not work
 */
export async function chooseAccelerator(site: Site, signal: AbortSignal): Promise<AcceleratorChoice> {
  const wanted = site.config.accelerator;
  if (wanted === 'tcg') {
    return { accelerator: 'tcg', why: 'the configuration says so' };
  }
  const choice = await probeOnce(site, signal);
  if (wanted === 'kvm' && choice.accelerator !== 'kvm') {
    throw new ConnectorError('unsupported', `Machines cannot run on KVM here: ${choice.why}`, {
      hint: 'Set `accelerator` to auto or tcg; machines then take some ten times as long.',
    });
  }
  return choice;
}

async function probeOnce(site: Site, signal: AbortSignal): Promise<AcceleratorChoice> {
  const note = join(site.root, 'accelerator.json');
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const noted = noteSchema.safeParse(parse(await unlessMissing(readFile(note, 'utf8'))));
  if (noted.success && noted.data.boot === boot) {
    return noted.data;
  }
  const problem = await tryKvm(signal);
  const choice: AcceleratorChoice =
    problem === undefined ? { accelerator: 'kvm', why: 'a guest ran on it' } : { accelerator: 'tcg', why: problem };
  // Also asked where there is no directory yet.
  await unlessMissing(writeFile(note, JSON.stringify({ boot, ...choice })));
  return choice;
}

function parse(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is wrong with KVM; undefined if a guest runs on it. */
async function tryKvm(signal: AbortSignal): Promise<string | undefined> {
  const opens = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!opens) {
    return 'there is no /dev/kvm that this user may open';
  }
  const folder = await mkdtemp(join(tmpdir(), 'paceline-kvm-'));
  const kernel = join(folder, 'kernel');
  try {
    await writeFile(kernel, tinyGuest());
    return await runOnKvm(kernel, signal);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function runOnKvm(kernel: string, signal: AbortSignal): Promise<string | undefined> {
  const machine = ['-M', 'pc', '-accel', 'kvm', '-cpu', 'host', '-m', '32', '-nodefaults', '-no-user-config', '-display', 'none'];
  const args = [...machine, '-device', `isa-debug-exit,iobase=${exitPort},iosize=1`, '-kernel', kernel];
  return new Promise((resolve) => {
    const limits = { signal, timeout: deadlineMs, killSignal: 'SIGKILL' as const };
    const child = spawn(emulator, args, { env: cleanEnvironment, stdio: ['ignore', 'ignore', 'pipe'], ...limits });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.on('error', (error) => resolve(error.message));
    child.on('close', (status, killed) => {
      if (status === exitStatus) {
        resolve(undefined);
      } else if (killed === null) {
        resolve(complaint.trim().split('\n').at(-1) || `QEMU ended with status ${status}`);
      } else {
        resolve(`a small guest was not through in ${deadlineMs / 1000} s`);
      }
    });
  });
}
