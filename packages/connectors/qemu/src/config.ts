import { isHostKey } from '@paceline/engine/ssh';
import * as z from 'zod';

/** It becomes part of options of QEMU, where a comma separates. */
const absolutePath = z.string().regex(/^\/[^,\n]*$/, 'must be an absolute path without commas');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal');
const place = z.union([absolutePath, z.url({ protocol: /^https?$/ })]);

/** An image as it is written in the configuration, and in the `image.json` of a folder. */
export const imageSettings = z.strictObject({
  disk: z.string().min(1).meta({ description: 'Disk image, qcow2 or raw' }),
  kernel: z.string().optional().meta({ description: 'Linux kernel to boot directly, without a boot loader' }),
  initrd: z.string().optional(),
  append: z.string().optional().meta({ description: 'Command line of the kernel' }),
  login: z.string().optional().meta({ description: 'The account to log in with' }),
});

const configuredImage = imageSettings.extend({
  disk: place.meta({ description: 'Disk image, qcow2 or raw: an absolute path or a URL' }),
  sha256: sha256.optional().meta({ description: 'Of the disk; needed with a URL' }),
  kernel: absolutePath.optional(),
  initrd: absolutePath.optional(),
});

/** What a user writes in the configuration of a `qemu` cloud. */
export const configSchema = z.strictObject({
  root: absolutePath.meta({ description: 'Absolute directory that holds the machines; made when it is missing' }),
  images: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/), configuredImage)
    .default({})
    .meta({ description: 'Images by name' }),
  image: z.string().optional().meta({ description: 'For modules that name none' }),
  publicKeys: z
    .array(z.string().refine(isHostKey, 'must be a public key of SSH: ssh-ed25519 AAAA…'))
    .default([])
    .meta({ description: 'Of people who may log in by SSH: public keys for the account of the image' }),
  accelerator: z.enum(['auto', 'kvm', 'tcg']).default('auto').meta({ description: 'auto: KVM where a guest really runs on it' }),
  memoryMiB: z.int().min(64).default(512).meta({ description: 'For modules that say nothing of memory' }),
});

export type Config = z.infer<typeof configSchema>;
