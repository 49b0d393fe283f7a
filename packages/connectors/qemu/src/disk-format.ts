import { open } from 'node:fs/promises';
import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';
import { runCommand } from './command.ts';

export const diskFormats = ['qcow2', 'raw'] as const;
type DiskFormat = (typeof diskFormats)[number];

/** For a look at a header, in milliseconds; one that was made to keep QEMU busy must not keep us. */
const patienceMs = 30_000;

/** Formats that can name other files too. Taken for raw they would be harmless, and boot nothing. */
const foreign: readonly (readonly [name: string, magic: string])[] = [
  ['VMDK', 'KDMV'],
  ['VMDK', 'COWD'],
  ['VMDK', '# Disk DescriptorFile'],
  ['VHDX', 'vhdxfile'],
  ['VDI', '<<< '],
  ['QED', 'QED\0'],
];

/** Bit 2 of the incompatible features: the data lie in a file of their own. */
const dataFileBit = 1n << 2n;

/** The format of a disk by its first 80 bytes: never by what QEMU would guess, which follows what it finds. @throws invalid */
export function formatOf(header: Buffer, image: string): DiskFormat {
  if (!header.subarray(0, 4).equals(Buffer.from('QFI\xfb', 'latin1'))) {
    const [name] = foreign.find(([, magic]) => header.subarray(0, magic.length).equals(Buffer.from(magic, 'latin1'))) ?? [];
    if (name !== undefined) throw refusal(image, `is ${name}`);
    return 'raw';
  }
  const version = header.length < 80 ? 0 : header.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw refusal(image, 'cannot be read as qcow2');
  if (header.readBigUInt64BE(8) !== 0n) throw refusal(image, 'stands on another file');
  if (version === 3 && (header.readBigUInt64BE(72) & dataFileBit) !== 0n) throw refusal(image, 'has its data in another file');
  return 'qcow2';
}

const infoSchema = z.object({
  'backing-filename': z.never().optional(),
  'full-backing-filename': z.never().optional(),
  'format-specific': z.object({ data: z.object({ 'data-file': z.never().optional() }) }),
});

/**
 * The format of a disk that has all that is in it in one file. A disk that names others would show a machine any file of this host.
 * @throws invalid
 */
export async function inspectDisk(disk: string, image: string, signal: AbortSignal): Promise<DiskFormat> {
  await using file = await open(disk);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(80), 0, 80, 0);
  const format = formatOf(buffer.subarray(0, bytesRead), image);
  if (format === 'qcow2') {
    const asked = ['info', '--output=json', '--force-share', '-f', format, disk];
    const info = await runCommand('qemu-img', asked, AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])).catch((cause: unknown) => {
      if (signal.aborted) throw cause;
      throw refusal(image, 'cannot be read as qcow2', cause);
    });
    // QEMU has the last word on what it would open.
    if (!infoSchema.safeParse(JSON.parse(info)).success) throw refusal(image, 'names other files');
  }
  return format;
}

function refusal(image: string, what: string, cause?: unknown): ConnectorError {
  return new ConnectorError('invalid', `The disk of the image ${image} ${what}`, {
    ...(cause !== undefined && { cause }),
    hint: 'It has to be one file, qcow2 or raw. If you trust it: qemu-img convert -O qcow2 FROM TO.',
  });
}
