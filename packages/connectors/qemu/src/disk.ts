import * as z from 'zod';
import { runCommand } from './command.ts';
import type { Boot } from './machine-record.ts';

const infoSchema = z.object({ 'virtual-size': z.number() });

/** A disk that stands on that of the image, which is never written to. It has at least the size of that. */
export async function createOverlay(path: string, { disk, format }: Boot, diskGiB = 0): Promise<void> {
  const wanted = diskGiB * 1024 ** 3;
  const info = wanted === 0 ? undefined : await runCommand('qemu-img', ['info', '--output=json', '--force-share', '-f', format, disk]);
  const present = info === undefined ? 0 : infoSchema.parse(JSON.parse(info))['virtual-size'];
  const size = wanted > present ? [String(wanted)] : [];
  await runCommand('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', disk, '-F', format, path, ...size]);
}

/** A disk with nothing on it, which takes room as it is written to. */
export async function createEmpty(path: string, gib: number, signal: AbortSignal): Promise<void> {
  await runCommand('qemu-img', ['create', '-q', '-f', 'qcow2', path, `${gib}G`], signal);
}

/** A disk with all that is on this one and on what it stands on. Nobody may be writing to it. */
export async function copyWhole(from: string, to: string, signal: AbortSignal): Promise<void> {
  await runCommand('qemu-img', ['convert', '-q', '-f', 'qcow2', '-O', 'qcow2', from, to], signal);
}
