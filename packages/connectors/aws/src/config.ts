import * as z from 'zod';

const cidr = z.union([z.cidrv4(), z.cidrv6()]);

const instanceType = z.strictObject({
  cpus: z.number().positive(),
  memoryMiB: z.number().positive(),
  price: z.number().nonnegative().optional().meta({ description: 'US dollars per hour, as you pay it' }),
});

/** A cheap choice for every size that modules usually ask for; the first that is large enough is taken. */
const usualTypes: Record<string, z.infer<typeof instanceType>> = {
  't3.micro': { cpus: 2, memoryMiB: 1024 },
  't3.small': { cpus: 2, memoryMiB: 2048 },
  't3.medium': { cpus: 2, memoryMiB: 4096 },
  't3.large': { cpus: 2, memoryMiB: 8192 },
  'c6i.xlarge': { cpus: 4, memoryMiB: 8192 },
  'm6i.xlarge': { cpus: 4, memoryMiB: 16_384 },
  'r6i.xlarge': { cpus: 4, memoryMiB: 32_768 },
  'c6i.2xlarge': { cpus: 8, memoryMiB: 16_384 },
  'm6i.2xlarge': { cpus: 8, memoryMiB: 32_768 },
  'r6i.2xlarge': { cpus: 8, memoryMiB: 65_536 },
  'm6i.4xlarge': { cpus: 16, memoryMiB: 65_536 },
  'm6i.8xlarge': { cpus: 32, memoryMiB: 131_072 },
};

/** What a user writes in the configuration of an `aws` cloud. */
export const configSchema = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be the name of a region, such as eu-west-3')
    .meta({ description: 'Where the machines are, such as eu-west-3' }),
  profile: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Of AWS's configuration files; default: the environment decides, as in AWS's tools" }),
  image: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'For modules that name none: ami-…, resolve:ssm:PARAMETER, or the name of an image' }),
  imageOwners: z
    .array(z.string().min(1))
    .min(1)
    .default(['self', 'amazon', '136693071363', '099720109477'])
    .meta({ description: 'Whose images are found by name: account numbers or aliases. Default: your own, Amazon, Debian, Canonical' }),
  login: z.string().min(1).optional().meta({ description: 'The account to log in with, where a module names none' }),
  instanceTypes: z
    .record(z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'must be an instance type, such as t3.small'), instanceType)
    .default(usualTypes)
    .meta({ description: 'What may be launched, cheapest first: the first that is large enough is taken' }),
  subnet: z
    .string()
    .regex(/^subnet-[0-9a-f]+$/)
    .optional()
    .meta({ description: 'Default: a default subnet of the default VPC' }),
  securityGroups: z
    .array(z.string().regex(/^sg-[0-9a-f]+$/))
    .default([])
    .meta({ description: 'Besides those that are made for each run' }),
  publicAddresses: z.boolean().default(true).meta({ description: 'Machines get public addresses' }),
  portsFrom: z.array(cidr).min(1).default(['0.0.0.0/0', '::/0']).meta({ description: 'Who reaches the ports that modules declare' }),
  sshFrom: z.array(cidr).default([]).meta({ description: 'Who reaches port 22, which the engine needs with `reach: tunnel`' }),
  spot: z
    .strictObject({
      maxPrice: z.number().positive().optional().meta({ description: 'US dollars per hour; default: the price on demand' }),
      fallback: z.boolean().default(true).meta({ description: 'Launch on demand where there is no spot capacity' }),
    })
    .optional()
    .meta({ description: 'Machines at spot prices, which AWS may end at any time' }),
  rootDevice: z
    .string()
    .startsWith('/dev/')
    .default('/dev/xvda')
    .meta({ description: 'Of the image, where a module asks for a disk size' }),
  instanceProfile: z.string().min(1).optional().meta({ description: 'Name of an IAM instance profile for the machines' }),
  launchTemplate: z
    .strictObject({
      id: z
        .string()
        .regex(/^lt-[0-9a-f]+$/)
        .optional(),
      name: z.string().min(1).optional(),
      version: z
        .string()
        .regex(/^(\d+|\$Latest|\$Default)$/, 'must be a number, $Latest or $Default')
        .default('$Default'),
    })
    .refine(({ id, name }) => (id === undefined) !== (name === undefined), 'must have an id or a name')
    .optional()
    .meta({
      description:
        'Of EC2, by id or name: what machines have besides what is said here and in modules, and their image where neither names one',
    }),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'Of an emulator, or a private endpoint' }),
});

export type Config = z.infer<typeof configSchema>;
