import type {
  Account,
  ConnectorErrorCode,
  LaunchRequest,
  Machine,
  AttachedDisk,
  MachineImage,
  Resource,
  TerminateResult,
} from '@paceline/engine/connector';
import * as z from 'zod';

/** The version of the protocol; docs/connector-protocol.md describes it. */
export const protocolVersion = 1;

const codes = [
  'auth',
  'forbidden',
  'invalid',
  'notFound',
  'conflict',
  'quota',
  'capacity',
  'throttled',
  'unavailable',
  'timeout',
  'unsupported',
  'internal',
] as const satisfies readonly ConnectorErrorCode[];

const failureSchema = z.object({
  // A code that a later version of the protocol knows, or a mistake, is no reason to lose the message.
  code: z.enum(codes).catch('internal'),
  message: z.string(),
  retryAfterMs: z.number().nonnegative().optional(),
  hint: z.string().optional(),
});

/** One line from a program. What is not in it is not looked at. */
export const messageSchema = z.object({
  id: z.number().int().optional(),
  item: z.unknown().optional(),
  result: z.unknown().optional(),
  error: failureSchema.optional(),
  log: z.object({ level: z.enum(['info', 'warn']).catch('warn'), message: z.string() }).optional(),
});

export type Message = z.infer<typeof messageSchema>;

const optionalMethods = ['account', 'remove', 'consoleLog', 'createImage', 'resolveImage', 'resize', 'attachDisk', 'detachDisk'] as const;
export type OptionalMethod = (typeof optionalMethods)[number];

export const greetingSchema = z.object({
  protocol: z.literal(protocolVersion),
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes'),
  version: z.string().min(1).max(100),
  methods: z.array(z.enum(optionalMethods).or(z.string())).default([]),
  capabilities: z.object({
    userDataBytes: z.number().int().min(4096),
    maxBatch: z.number().int().min(1),
    idempotency: z.enum(['token', 'name', 'tag']),
    listConsistencyMs: z.number().min(0),
    console: z.enum(['none', 'full', 'incremental']).default('none'),
    reach: z.enum(['direct', 'host', 'tunnel']),
    bringsNode: z.boolean().default(false),
  }),
});

export type Greeting = z.infer<typeof greetingSchema>;

const text = z.string().min(1).max(1000);
const moment = z.iso.datetime({ offset: true }).transform((value) => new Date(value));

const machineSchema: z.ZodType<Machine, unknown> = z
  .object({
    id: text,
    index: z.number().int().min(0),
    name: text,
    state: z.enum(['pending', 'running', 'stopping', 'stopped', 'terminated', 'error']),
    publicIps: z.array(z.string().max(100)).default([]),
    privateIps: z.array(z.string().max(100)).default([]),
    login: z.string().max(100).optional(),
    createdAt: moment,
    fault: z.string().max(2000).optional(),
  })
  .transform(({ login, fault, ...rest }) => ({ ...rest, ...(login !== undefined && { login }), ...(fault !== undefined && { fault }) }));

export const resourceSchema: z.ZodType<Resource, unknown> = z
  .object({
    kind: z.enum(['machine', 'disk', 'address', 'network', 'image', 'key', 'group']),
    id: text,
    name: z.string().max(1000),
    owner: z.object({ engine: z.string(), run: z.string(), node: z.string().optional() }),
    token: z.string().optional(),
    expiresAt: moment.optional(),
    machine: machineSchema.optional(),
  })
  .refine(({ kind, machine }) => kind !== 'machine' || machine !== undefined, 'a machine must be described')
  .transform(({ owner: { node, ...owner }, token, expiresAt, machine, ...rest }) => ({
    ...rest,
    owner: { ...owner, ...(node !== undefined && { node }) },
    ...(token !== undefined && { token }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(machine !== undefined && { machine }),
  }));

interface Answers {
  launch: { machines: Machine[] };
  describe: { machines: Machine[] };
  list: object;
  terminate: { results: TerminateResult[] };
  probe: Account;
  account: { account: string };
  remove: object;
  consoleLog: { text: string; next: number };
  createImage: MachineImage;
  resolveImage: { means: string };
  resize: object;
  attachDisk: AttachedDisk;
  detachDisk: object;
}

export type Method = keyof Answers;
export type Answer<M extends Method> = Answers[M];

/** What each method has to answer. */
export const answerSchemas: { [M in Method]: z.ZodType<Answers[M], unknown> } = {
  launch: z.object({ machines: z.array(machineSchema) }),
  describe: z.object({ machines: z.array(machineSchema) }),
  list: z.object({}),
  terminate: z.object({ results: z.array(z.object({ id: z.string(), gone: z.boolean() })) }),
  probe: z.object({ account: text, regions: z.array(text) }),
  account: z.object({ account: text }),
  remove: z.object({}),
  consoleLog: z.object({ text: z.string(), next: z.number().int().min(0) }),
  createImage: z
    .object({ image: text, id: text, bytes: z.number().optional() })
    .transform(({ bytes, ...rest }) => ({ ...rest, ...(bytes !== undefined && { bytes }) })),
  resolveImage: z.object({ means: text }),
  resize: z.object({}),
  attachDisk: z.object({ id: text, device: text }),
  detachDisk: z.object({}),
};

/** A launch as it goes over the wire: bytes in base64, times as ISO 8601. */
export function launchParams({ machines, expiresAt, ...rest }: LaunchRequest): Record<string, unknown> {
  return {
    ...rest,
    machines: machines.map(({ userData, ...machine }) => ({ ...machine, userData: Buffer.from(userData).toString('base64') })),
    expiresAt: expiresAt.toISOString(),
  };
}
