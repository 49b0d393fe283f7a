import * as z from 'zod';
import { sizePattern } from '../quantity/size.ts';
import { scriptPhases } from '../resolved/image.ts';
import { envelope } from './metadata.ts';
import { labelPattern, packageNamePattern } from './names.ts';
import { parameterDeclarations } from './parameter.ts';

const size = z
  .string()
  .regex(sizePattern, 'a size')
  .meta({ examples: ['2GiB', '512MiB'] });

const resources = z
  .strictObject({
    cpus: z.number().positive().optional().describe('Least number of virtual CPUs.'),
    memory: size.optional().describe('Least memory, such as `1GiB`.'),
    disk: size.optional().describe('Least root disk, such as `10GiB`.'),
  })
  .describe('What the machine needs; the cheapest fitting offer of the cloud is taken.');

export const cloudName = z
  .string()
  .regex(labelPattern, 'the name of a cloud')
  .meta({ examples: ['aws-paris'] });

const nativeImage = z.strictObject({
  image: z.string().min(1).describe('Identifier or name of the image in that cloud.'),
  login: z.string().min(1).optional().describe('User to log in as, such as `admin` or `ubuntu`.'),
});

const portNumber = z.int().min(1).max(65535);
const port = z.union([
  portNumber,
  z
    .string()
    .regex(/^\d{1,5}\/(tcp|udp)$/, 'a port')
    .meta({ examples: ['8080', '53/udp'] }),
  z.strictObject({
    port: portNumber.describe('Port number.'),
    protocol: z.enum(['tcp', 'udp']).optional().describe('`tcp` when left out.'),
  }),
]);

const phaseMeaning = {
  preInstall: 'Runs before the packages are installed; part of a built image.',
  postInstall: 'Runs after the packages are installed; part of a built image.',
  deploy: 'Runs on every machine of a run, all machines at the same time.',
  report: 'Runs when every deploy script has ended; files in $SLIPSTREAM_REPORT_DIR are sent home.',
  onVmAdd: 'Runs on the other machines when machines were added.',
  onVmRemove: 'Runs on the other machines when machines were removed.',
  preScale: 'Runs on a machine before it is removed or resized.',
  postScale: 'Runs on a machine after it was resized.',
} as const satisfies Record<(typeof scriptPhases)[number], string>;

const scriptValue = z.string().min(1);
const scripts = z
  .strictObject(
    Object.fromEntries(
      scriptPhases.map((phase) => [
        phase,
        scriptValue.optional().describe(`${phaseMeaning[phase]} A path, or the script itself beginning with #!.`),
      ]),
    ) as Record<(typeof scriptPhases)[number], z.ZodOptional<typeof scriptValue>>,
  )
  .describe('The recipe, by phase: files relative to this one. Scripts of ancestors run first.');

export const imageSpec = z
  .strictObject({
    extends: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: 'The image that this one builds on: a relative path, or a published module, `NAME` or `NAME@VERSION`.',
        examples: ['../debian-12/image.yaml', 'shop/base@3'],
      }),
    resources: resources.optional(),
    clouds: z
      .record(cloudName, z.union([z.string().min(1), nativeImage]))
      .optional()
      .describe('Where a native image already exists, by cloud. Usually only on base images.'),
    parameters: parameterDeclarations.optional(),
    packages: z
      .array(z.string().regex(packageNamePattern, 'the name of a package'))
      .optional()
      .describe("Packages of the distribution to install. Ancestors' packages come first."),
    ports: z.array(port).optional().describe('Ports to open, for clouds with firewalls.'),
    scripts: scripts.optional(),
  })
  .describe('What one machine is.');

/** A file of kind `Image`. */
export const imageFile = envelope('Image', imageSpec);
export type ImageFile = z.infer<typeof imageFile>;
