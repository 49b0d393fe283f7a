import { bounds, budget, keepRunningPolicies, resolvedDeployment } from '@paceline/model';
import * as z from 'zod';
import { runStates } from './agent.ts';

// Requests are strict: a field that the server does not know is a mistake of whoever asks. Answers are not: an older client
// does not see what a newer server says in addition.

/** Milliseconds since the epoch, as ISO 8601 on the wire. */
const time = z.iso.datetime();

/** A text of one line. */
const line = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^\P{Cc}*$/u, 'must be one line without control characters');

export const runState = z.enum(runStates);

/** `POST /api/runs`: what to run, and what to change about it. */
export const runRequest = z.strictObject({
  /** Chosen by the client, so that it may ask again when it got no answer: the same id never starts a second run. */
  id: z.uuid().optional(),
  deployment: resolvedDeployment,
  /** A name for people; the deployment's own by default. */
  name: line(100).min(1).optional(),
  /** Whose members may see the run. By default the one project that the asker may start runs in, or `default`. */
  project: line(200).min(1).optional(),
  /** `NAME` is the deployment's, `node:NAME` a node's; also `node:multiplicity` and `node:cloud`. */
  parameters: z.record(z.string().max(2 * bounds.nameLength), z.string().max(bounds.textLength)).default({}),
  /** The cloud for every node that is not told otherwise. */
  cloud: z.string().max(bounds.nameLength).optional(),
  keepRunning: z.enum(keepRunningPolicies).optional(),
  /** Machines may be added and removed while the run is ready; it stays so until it is ended. */
  scalable: z.boolean().optional(),
  timeoutMs: z.int().positive().max(bounds.durationMs).optional(),
  lifetimeMs: z.int().positive().max(bounds.durationMs).optional(),
  /** The most that it may cost, instead of what the deployment says. */
  budget: budget.optional(),
  tags: z.array(line(200)).max(40).default([]),
});
export type RunRequest = z.input<typeof runRequest>;

export const runSummary = z.object({
  id: z.string(),
  name: z.string(),
  state: runState,
  createdAt: time,
  createdBy: z.string(),
  /** Whose members may see it. */
  project: z.string(),
  endedAt: time.nullable(),
  tags: z.array(z.string()),
});
export type RunSummary = z.infer<typeof runSummary>;

/** How a run is now; `seq` grows with each of them. */
export const runChange = z.object({ seq: z.int(), run: runSummary });
export type RunChange = z.infer<typeof runChange>;

export const runList = z.object({ runs: z.array(runSummary) });
export type RunList = z.infer<typeof runList>;

export const instanceView = z.object({
  name: z.string(),
  node: z.string(),
  index: z.int(),
  cloud: z.string(),
  /** `wanted`, `launching`, `booting`, `joined`, `leaving` or `gone`. */
  stage: z.enum(['wanted', 'launching', 'booting', 'joined', 'leaving', 'gone']),
  machineId: z.string().nullable(),
  address: z.string().nullable(),
  /** The step under way, such as `deploy-0`. */
  step: z.string().nullable(),
  /** It has completed the run's present state. */
  complete: z.boolean(),
  message: z.string(),
  abort: z.string().nullable(),
  fault: z.string().nullable(),
  connected: z.boolean(),
  /** The keys that its scripts are blocked in. */
  blockedIn: z.array(z.string()),
  dropped: z.boolean(),
  /** What it was given while it ran: where the machine finds it, and its size in GiB. */
  disks: z.array(z.object({ device: z.string(), gib: z.int() })).default([]),
});
export type InstanceView = z.infer<typeof instanceView>;

export const runDetail = z.object({
  ...runSummary.shape,
  category: z.enum(['Deployment', 'Image']),
  module: z.string(),
  digest: z.string(),
  stateSince: time,
  abort: z.object({ reason: z.string(), source: z.string(), at: time }).nullable(),
  outcome: z.enum(['Done', 'Aborted', 'Cancelled']).nullable(),
  keepRunning: z.enum(keepRunningPolicies),
  /** Machines may be added and removed while it is ready. */
  scalable: z.boolean().default(false),
  /** The change of its machines that is under way. */
  scaling: z
    .object({
      action: z.enum(['vm_create', 'vm_remove', 'vm_resize', 'disk_attach', 'disk_detach']),
      node: z.string(),
      instances: z.array(z.string()),
    })
    .nullable()
    .default(null),
  expiresAt: time,
  serviceUrl: z.string().nullable(),
  nodes: z.array(
    z.object({
      name: z.string(),
      image: z.string(),
      /** The nodes that it is told values of. */
      needs: z.array(z.string()),
      /** What one of its machines costs for an hour, by cloud, as far as the clouds say so. */
      prices: z.record(z.string(), z.object({ amount: z.number(), currency: z.string() })).optional(),
    }),
  ),
  instances: z.array(instanceView),
  /** The wait graph: whose scripts wait for which value, and who has to set it. */
  waits: z.array(z.object({ instance: z.string(), key: z.string(), from: z.array(z.string()) })),
  /** Where to go on following events. */
  lastEvent: z.int(),
});
export type RunDetail = z.infer<typeof runDetail>;

/** `token` is good for this run alone and is shown once. */
export const createdRun = z.object({ run: runDetail, token: z.string() });
export type CreatedRun = z.infer<typeof createdRun>;

export const parameterView = z.object({
  key: z.string(),
  /** Null when not set; `***` when secret. */
  value: z.string().nullable(),
  secret: z.boolean(),
});
export type ParameterView = z.infer<typeof parameterView>;
export const parameterList = z.object({ parameters: z.array(parameterView) });
export type ParameterList = z.infer<typeof parameterList>;
export const parameterWrite = z.strictObject({ value: z.string(), secret: z.boolean().default(false) });

export const abortRequest = z.strictObject({ reason: z.string().min(1).max(4096) });

export const eventView = z.looseObject({
  seq: z.int(),
  at: time,
  type: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  message: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type EventView = z.infer<typeof eventView>;
export const eventList = z.object({ events: z.array(eventView) });

export const logView = z.object({
  seq: z.int(),
  at: time,
  instance: z.string(),
  source: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
});
export type LogView = z.infer<typeof logView>;
export const logList = z.object({ logs: z.array(logView) });

export const reportView = z.object({
  name: z.string(),
  instance: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  at: time,
});
export type ReportView = z.infer<typeof reportView>;
export const reportList = z.object({ reports: z.array(reportView) });

/** `POST /api/reap`: what the clouds have of this server's that no run needs. */
export const reapRequest = z.strictObject({
  /** Otherwise it is only shown. */
  remove: z.boolean().default(false),
  /** Only what belongs to these runs, by their ids. */
  runs: z.array(z.string().max(100)).max(1000).optional(),
});
export const reapReport = z.object({
  /** How many of our resources the clouds have shown, those in use included. */
  seen: z.int(),
  orphans: z.array(
    z.object({
      cloud: z.string(),
      kind: z.string(),
      id: z.string(),
      name: z.string(),
      run: z.string(),
      /** Why nobody needs it. */
      reason: z.string(),
      /** `ending`: its cloud has agreed, and still has it. `kept`: its cloud does not let go of it; `failures` says why. */
      outcome: z.enum(['found', 'removed', 'ending', 'kept']),
    }),
  ),
  /** Where each cloud was looked into, of those that have accounts. */
  accounts: z.array(z.object({ cloud: z.string(), account: z.string() })).default([]),
  /** Clouds that could not be looked at, or not in the account that machines are in, or did not let go of something. */
  failures: z.array(z.object({ cloud: z.string(), message: z.string() })),
});
export type ReapReport = z.infer<typeof reapReport>;

/** `POST /api/sessions`: a token that GitHub has given to a job, made for this server. */
export const sessionRequest = z.strictObject({ token: z.string().min(1).max(10_000) });
export const sessionView = z.object({
  token: z.string(),
  expiresAt: time,
  /** Who has logged in. */
  name: z.string(),
  role: z.enum(['operator', 'deployer']),
});
export type SessionView = z.infer<typeof sessionView>;

/** RFC 9457. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string().optional(),
});
export type Problem = z.infer<typeof problem>;

export const serverInfo = z.object({ name: z.literal('paceline'), version: z.string(), clouds: z.array(z.string()) });
export type ServerInfo = z.infer<typeof serverInfo>;
