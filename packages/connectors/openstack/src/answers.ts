import * as z from 'zod';

/** What services say, as far as it is needed here. */

export const nothing = z.unknown();

export const serverSchema = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  created: z.coerce.date(),
  metadata: z.record(z.string(), z.string()).default({}),
  addresses: z
    .record(z.string(), z.array(z.object({ addr: z.string(), version: z.number(), 'OS-EXT-IPS:type': z.string().default('fixed') })))
    .default({}),
  'OS-EXT-STS:task_state': z.string().nullish(),
  fault: z.object({ message: z.string().default('') }).optional(),
});
export type Server = z.infer<typeof serverSchema>;

export const flavorSchema = z.object({
  id: z.string(),
  name: z.string(),
  vcpus: z.number(),
  ram: z.number(),
  disk: z.number(),
  'OS-FLV-DISABLED:disabled': z.boolean().default(false),
});
export type Flavor = z.infer<typeof flavorSchema>;

export const imageSchema = z.looseObject({
  id: z.string(),
  name: z.string().nullable(),
  status: z.string(),
  size: z.number().nullish(),
  created_at: z.string(),
});
export type Image = z.infer<typeof imageSchema>;

export const networkSchema = z.object({ id: z.string(), name: z.string(), 'router:external': z.boolean().default(false) });

export const groupSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullish(),
  created_at: z.string().default(''),
  security_group_rules: z.array(z.object({ direction: z.string() })).default([]),
});
export type Group = z.infer<typeof groupSchema>;

export const portSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullish(),
  device_id: z.string().default(''),
});
export type Port = z.infer<typeof portSchema>;

export const floatingSchema = z.object({
  id: z.string(),
  description: z.string().nullish(),
  floating_ip_address: z.string(),
  port_id: z.string().nullable(),
});
export type Floating = z.infer<typeof floatingSchema>;

export const limitsSchema = z.object({
  limits: z.object({
    absolute: z.object({
      maxTotalInstances: z.number(),
      totalInstancesUsed: z.number(),
      maxTotalCores: z.number(),
      totalCoresUsed: z.number(),
      maxTotalRAMSize: z.number(),
      totalRAMUsed: z.number(),
    }),
  }),
});
