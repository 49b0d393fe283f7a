import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type ConnectorContext } from '@paceline/engine/connector';
import * as z from 'zod';
import { cleanEnvironment, emulator, findProgram } from './command.ts';
import type { Site } from './site.ts';
import { exitPort, exitStatus, tinyGuest } from './tiny-guest.ts';

export type Accelerator = 'kvm' | 'tcg';

/** Under real KVM the guest takes half a second. Where each of its instructions is emulated it would take minutes. */
const deadlineMs = 8_000;

/** How long a trial that failed counts: the host may have had too much else to do. */
const failureCountsMs = 15 * 60_000;

const noteSchema = z.object({
  boot: z.string(),
  /** Of the program that was tried. */
  emulator: z.string(),
  /** When it was tried, in milliseconds since the epoch. */
  at: z.number(),
  accelerator: z.enum(['kvm', 'tcg']),
  why: z.string(),
});

/** What came of a trial of KVM. */
export type Trial = z.output<typeof noteSchema>;

export type AcceleratorChoice = Pick<Trial, 'accelerator' | 'why'>;

/**
 * KVM where a guest really makes progress on it, in time; a device that can be opened says nothing. Tried once per boot of the host and
 * QEMU, and again a while after it has failed.
 * @throws unsupported where KVM is asked for and does not work
 */
export async function chooseAccelerator(site: Site, context: Pick<ConnectorContext, 'signal' | 'now'>): Promise<AcceleratorChoice> {
  const wanted = site.config.accelerator;
  if (wanted === 'tcg') {
    return { accelerator: 'tcg', why: 'the configuration says so' };
  }
  const choice = await probeOnce(site, context);
  if (wanted === 'kvm' && choice.accelerator !== 'kvm') {
    throw new ConnectorError('unsupported', `Machines cannot run on KVM here: ${choice.why}`, {
      hint: 'Set `accelerator` to auto or tcg; machines then take some ten times as long.',
    });
  }
  return choice;
}

async function probeOnce(site: Site, { signal, now }: Pick<ConnectorContext, 'signal' | 'now'>): Promise<AcceleratorChoice> {
  const opens = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  // Seen in no time, and changed in no time.
  if (!opens) return { accelerator: 'tcg', why: 'there is no /dev/kvm that this user may open' };
  const note = join(site.root, 'accelerator.json');
  const here = { boot: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(), emulator: await emulatorNow() };
  const noted = noteSchema.safeParse(parse(await unlessMissing(readFile(note, 'utf8'))));
  if (noted.success && stillCounts(noted.data, here, now())) {
    return noted.data;
  }
  const problem = await tryKvm(signal);
  const choice: AcceleratorChoice =
    problem === undefined ? { accelerator: 'kvm', why: 'a guest ran on it' } : { accelerator: 'tcg', why: problem };
  // Also asked where there is no directory yet.
  await unlessMissing(writeFile(note, JSON.stringify({ ...here, at: now(), ...choice } satisfies Trial)));
  return choice;
}

/** Whether the outcome of a trial says anything of a host as it is now. */
export function stillCounts(trial: Trial, { boot, emulator }: Pick<Trial, 'boot' | 'emulator'>, now: number): boolean {
  if (trial.boot !== boot || trial.emulator !== emulator) return false;
  return trial.accelerator === 'kvm' || (now >= trial.at && now < trial.at + failureCountsMs);
}

/** Another one after an update. */
async function emulatorNow(): Promise<string> {
  const path = (await findProgram(emulator)) ?? emulator;
  const found = await unlessMissing(stat(path));
  return `${path} ${found?.size} ${found?.mtime.toISOString()}`;
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
