import * as z from 'zod';

const cidr = z.union([z.cidrv4(), z.cidrv6()]);
const nameOrId = z.string().min(1).max(255);

/** What a user writes in the configuration of an `openstack` cloud. */
export const configSchema = z.strictObject({
  cloud: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Its name in clouds.yaml; default: OS_CLOUD, or the other OS_ variables of the environment' }),
  cloudsFile: z.string().min(1).optional().meta({ description: "A clouds.yaml; default: where OpenStack's own tools look for it" }),
  region: z.string().min(1).optional().meta({ description: 'Default: that of clouds.yaml or OS_REGION_NAME' }),
  image: nameOrId.optional().meta({ description: 'For modules that name none: a name, of several images the newest, or an id' }),
  login: z.string().min(1).optional().meta({ description: 'The account to log in with, where a module names none' }),
  flavors: z
    .array(nameOrId)
    .min(1)
    .optional()
    .meta({ description: 'What may be launched, cheapest first: the first that is large enough is taken. Default: all, smallest first' }),
  network: nameOrId.optional().meta({ description: 'Of the machines; default: the only one of the project' }),
  floatingNetwork: nameOrId
    .optional()
    .meta({ description: 'The external network whose floating addresses the machines get; default: none' }),
  securityGroups: z.array(nameOrId).default([]).meta({ description: 'Besides those that are made for each run' }),
  portsFrom: z.array(cidr).min(1).default(['0.0.0.0/0', '::/0']).meta({ description: 'Who reaches the ports that modules declare' }),
  sshFrom: z.array(cidr).default([]).meta({ description: 'Who reaches port 22, which the engine needs with `reach: tunnel`' }),
  prices: z
    .record(nameOrId, z.number().nonnegative())
    .default({})
    .meta({ description: 'What an hour of a flavor costs you; OpenStack itself has no prices' }),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a currency, such as EUR')
    .default('EUR')
    .meta({ description: 'Of the prices' }),
  zone: z.string().min(1).optional().meta({ description: 'Availability zone of the machines' }),
});

export type Config = z.infer<typeof configSchema>;
