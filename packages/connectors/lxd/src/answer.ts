import * as z from 'zod';

/** What LXD wraps round everything that it answers. */
export const answerSchema = z.union([
  z.object({ type: z.literal('sync'), metadata: z.unknown() }),
  z.object({ type: z.literal('async'), operation: z.string() }),
  z.object({ type: z.literal('error'), error: z.string(), error_code: z.number() }),
]);

/** What LXD does in the background. */
export const operationSchema = z.object({
  id: z.string(),
  status_code: z.number(),
  err: z.string().default(''),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

export type Operation = z.infer<typeof operationSchema>;

export const deviceSchema = z.record(z.string(), z.string());

export const instanceSchema = z.object({
  name: z.string(),
  status: z.string(),
  status_code: z.number(),
  type: z.string(),
  created_at: z.string(),
  last_used_at: z.string(),
  config: z.record(z.string(), z.string()).nullable(),
  profiles: z.array(z.string()).nullable(),
  devices: z.record(z.string(), deviceSchema).nullable(),
  /** With those of its profiles. */
  expanded_devices: z.record(z.string(), deviceSchema).nullish(),
  state: z
    .object({
      network: z
        .record(
          z.string(),
          z.object({
            addresses: z.array(z.object({ family: z.string(), address: z.string(), scope: z.string() })).nullable(),
            hwaddr: z.string(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

export type Instance = z.infer<typeof instanceSchema>;

/** What runs in a machine now. */
export const stateSchema = z.object({
  /** Its first process, by the number that the server's host knows it by; 0 or less where there is none. */
  pid: z.int(),
});

export const imageSchema = z.object({
  fingerprint: z.string(),
  size: z.number(),
  created_at: z.string(),
  uploaded_at: z.string(),
  aliases: z.array(z.object({ name: z.string() })).nullish(),
  properties: z.record(z.string(), z.string()).nullable(),
});

export type Image = z.infer<typeof imageSchema>;

export const serverSchema = z.object({
  auth: z.string(),
  api_extensions: z.array(z.string()).default([]),
  environment: z
    .object({ server: z.string(), server_version: z.string(), server_name: z.string(), driver: z.string(), server_clustered: z.boolean() })
    .partial()
    .nullish(),
});

/** What the server's host has. */
export const resourcesSchema = z.object({ memory: z.object({ total: z.number() }) });

/** What of a machine can be changed: a change that leaves something out takes it away. */
export const writableSchema = z.object({
  architecture: z.string(),
  config: z.record(z.string(), z.string()).nullable(),
  description: z.string().default(''),
  devices: z.record(z.string(), deviceSchema).nullable(),
  ephemeral: z.boolean(),
  profiles: z.array(z.string()).nullable(),
});

export const poolSchema = z.object({ name: z.string() });

export const volumeSchema = z.object({ name: z.string(), config: z.record(z.string(), z.string()).nullable() });

export const profileSchema = z.object({ devices: z.record(z.string(), deviceSchema).nullable() });
