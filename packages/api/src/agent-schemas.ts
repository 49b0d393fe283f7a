import * as z from 'zod';
import { maxValueBytes, type JoinRequest, type Op, type OpsRequest } from './agent.ts';

/** The agent's side of the wire, as the server checks it. The shapes are those of `agent.ts`; the compiler compares them. */
const key = z.string().min(1).max(300);
const id = z.int().positive();
const seq = z.int().nonnegative();
/** A place in a source of output: sums of them stay whole numbers. */
const position = z
  .int()
  .nonnegative()
  .max(2 ** 50);

export const joinRequest = z.strictObject({
  run: z.string().max(100),
  instance: z.string().max(200),
  secret: z.string().max(200),
  keyHash: z.string().regex(/^[0-9a-f]{64}$/),
  agentVersion: z.string().max(100),
  nodeVersion: z.string().max(100),
  bootId: z.string().max(100),
  tookHostKey: z.exactOptional(z.literal(true)),
}) satisfies z.ZodType<JoinRequest>;

export const op = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('get'),
    key,
    wait: z.boolean(),
    ignoreAbort: z.boolean(),
    unless: z.exactOptional(z.string().max(maxValueBytes)),
  }),
  z.strictObject({ op: z.literal('unwait'), key }),
  z.strictObject({ op: z.literal('getAll'), node: key, name: key, wait: z.boolean(), ignoreAbort: z.boolean() }),
  z.strictObject({ op: z.literal('unwaitAll'), node: key, name: key }),
  z.strictObject({
    op: z.literal('set'),
    id,
    key,
    value: z.string().max(maxValueBytes),
    secret: z.boolean(),
    ignoreAbort: z.boolean(),
  }),
  z.strictObject({ op: z.literal('unset'), id, key, ignoreAbort: z.boolean() }),
  z.strictObject({ op: z.literal('abort'), id, reason: z.string().max(8192) }),
  z.strictObject({ op: z.literal('cancelAbort'), id }),
  z.strictObject({
    op: z.literal('step'),
    id,
    seq,
    step: z.string().max(100),
    status: z.enum(['started', 'done', 'failed', 'stopped']),
    exitCode: z.exactOptional(z.int()),
    message: z.exactOptional(z.string().max(8192)),
  }),
  z.strictObject({ op: z.literal('complete'), id, seq }),
  z.strictObject({
    op: z.literal('log'),
    source: z.string().max(200),
    stream: z.enum(['stdout', 'stderr']),
    offset: position,
    bytes: position,
    text: z.string().max(256 * 1024),
    at: z.string().max(40),
  }),
  z.strictObject({ op: z.literal('examined'), finding: z.enum(['alone', 'accompanied', 'busy']) }),
  z.strictObject({ op: z.literal('notice'), id, severity: z.enum(['info', 'warning', 'error']), message: z.string().max(8192) }),
]) satisfies z.ZodType<Op>;

export const opsRequest = z.strictObject({ session: z.string().max(100), ops: z.array(op).max(10_000) }) satisfies z.ZodType<OpsRequest>;
