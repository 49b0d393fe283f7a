/**
 * What the agent and the server say to each other. Types and constants only: the agent bundles this file, so it must not
 * import anything. The zod schemas of the same shapes are in `agent-schemas.ts`; a type test keeps the two equal.
 *
 * The link: `POST /agent/join` once, and again if the answer brings a host key; then `GET /agent/stream`, Server-Sent Events that push what
 * the agent has to do and the values it waits for; and `POST /agent/ops` for everything the agent says. The agent has at most one `ops` request under way
 * and gathers what comes meanwhile into the next one, in order. Each mutating op has an `id` that grows by one: an op whose
 * answer was lost is sent again with its id, and the server carries out each id once. An assignment that says `completed: false`
 * for work that the agent has completed means that the completion was lost: the agent sends it again.
 *
 * A request for the stream that has `Upgrade: paceline-agent` may be answered with 101. Then the same events come down on the
 * connection, and each `OpsRequest` goes up on it as a line of JSON, answered by an event: `results`, or `problem`. Whoever
 * cannot do that, such as a proxy in between, takes no notice, and answers with the stream.
 */

export const runStates = [
  'Initializing',
  'Provisioning',
  'Executing',
  'SendingReports',
  'Ready',
  'Finalizing',
  'Done',
  'Aborted',
  'Cancelled',
] as const;
export type RunState = (typeof runStates)[number];

/** The longest value of a parameter, in bytes of UTF-8. */
export const maxValueBytes = 1024 * 1024;
/** The longest value in characters that SlipStream's own clients may set; longer ones need no more than our commands. */
export const slipstreamMaxValueLength = 4096;

export interface JoinRequest {
  run: string;
  /** Such as `apache.1`. */
  instance: string;
  /** The one-time secret from the user data. */
  secret: string;
  /**
   * SHA-256 (hexadecimal) of the key that the agent made for itself and keeps. The key is its bearer token from then on. A second
   * join with the same secret and the same key is a repeated request and succeeds; with another key it is refused and reported.
   */
  keyHash: string;
  agentVersion: string;
  nodeVersion: string;
  /** Changes when the machine boots. */
  bootId: string;
  /** Its SSH server has the `hostKey` that was the answer: the agent joins a second time to say so. */
  tookHostKey?: true;
}

export interface JoinResponse {
  run: string;
  instance: string;
  /** What the machine's SSH server has to use from now on, as OpenSSH keeps it: the key in its user data is anybody's there. */
  hostKey?: string;
}

/** First event on the stream after every (re)connection. */
export interface Hello {
  /** Names this connection. What is said is carried out only while the connection that it names is the newest one. */
  session: string;
  assignment: Assignment;
  /** The last mutating op of this instance that was carried out; the agent goes on with the next number. */
  lastOp: number;
  /** How many bytes of each log source are stored, so that nothing is sent twice. */
  logs: Record<string, number>;
}

/** What one instance has to do now. Sent whole each time something in it changes; `seq` grows with each new piece of work. */
export interface Assignment {
  seq: number;
  state: RunState;
  /** The abort reason while the abort flag is raised. Running scripts that are not `immune` are to be stopped. */
  abort: string | null;
  steps: Step[];
  /** The server already has this instance's completion of `seq`: nothing to do but wait. */
  completed: boolean;
}

export type Step = ScriptStep | PackagesStep | ReportStep;

export interface ScriptStep {
  kind: 'script';
  /** Stable within one `seq`: a step that was done before a restart is not done again. */
  id: string;
  phase: 'preInstall' | 'postInstall' | 'deploy' | 'report' | 'onVmAdd' | 'onVmRemove' | 'preScale' | 'postScale';
  /** SlipStream's name of the phase, as in its messages: `Pre-install`, `Deployment`, … */
  label: string;
  /** The module that the script comes from. */
  module: string;
  /** SHA-256 of the script's text; `GET /agent/scripts/<digest>` answers with it. */
  digest: string;
  /** A non-zero exit aborts the run. */
  aborts: boolean;
  /** Runs although the abort flag is raised, and sees no abort (the report script). */
  immune: boolean;
  env: Record<string, string>;
}

export interface PackagesStep {
  kind: 'packages';
  id: string;
  module: string;
  packages: string[];
}

/** Make the report tarball and send it. */
export interface ReportStep {
  kind: 'report';
  id: string;
}

/** A value that the agent waits for has come. */
export interface ValueEvent {
  key: string;
  value: string;
  secret: boolean;
}

/** All values of a `getAll` that the agent waits for have come. */
export interface ValuesEvent {
  node: string;
  name: string;
  /** By instance number. */
  values: Record<string, string>;
}

/** What the agent waits for will not be told to it: `get` of `key`, or `getAll` of `node` and `name`. `code` and the rest as in `OpResult`. */
export type RefusedEvent = ({ key: string } | { node: string; name: string }) & { code: string; httpStatus: number; message: string };

/** Texts that must not appear in anything the agent sends. */
export interface MaskEvent {
  values: string[];
}

/** An `ops` request was refused as a whole. On the stream alone this is an answer with that status. */
export interface ProblemEvent {
  status: number;
  detail: string;
  /** Seconds after which to try again. */
  retryAfter?: number;
}

export interface StreamEvents {
  hello: Hello;
  assignment: Assignment;
  value: ValueEvent;
  values: ValuesEvent;
  refused: RefusedEvent;
  mask: MaskEvent;
  /** Every machine of the run seems to be waiting: the agent looks what its step is doing and says `examined`. */
  examine: Record<string, never>;
  /** The run is over, or this instance is: stop everything and leave. `powerOff` where the machine is ours alone. */
  leave: { reason: string };
}

/** An op with an `id` changes something; one without is a question. */
export type Op =
  /** `unless` is a value that the asker has already: it counts as none. */
  | { op: 'get'; key: string; wait: boolean; ignoreAbort: boolean; unless?: string }
  | { op: 'unwait'; key: string }
  | { op: 'getAll'; node: string; name: string; wait: boolean; ignoreAbort: boolean }
  | { op: 'unwaitAll'; node: string; name: string }
  | { op: 'set'; id: number; key: string; value: string; secret: boolean; ignoreAbort: boolean }
  | { op: 'unset'; id: number; key: string; ignoreAbort: boolean }
  | { op: 'abort'; id: number; reason: string }
  | { op: 'cancelAbort'; id: number }
  /** A step of `seq` began or ended. `message` is the abort reason when a step with `aborts` failed. */
  | {
      op: 'step';
      id: number;
      seq: number;
      step: string;
      status: 'started' | 'done' | 'failed' | 'stopped';
      exitCode?: number;
      message?: string;
    }
  | { op: 'complete'; id: number; seq: number }
  /** Output of a script, in the order in which it was written. `offset` counts bytes of the source before this text. */
  | { op: 'log'; source: string; stream: 'stdout' | 'stderr'; offset: number; bytes: number; text: string; at: string }
  /**
   * What the step under way is doing: nothing but waiting for values, with no end in sight (`alone`); the same, while other
   * processes of it are there that may do something (`accompanied`); or something that ends by itself (`busy`), such as a wait with
   * a short timeout.
   */
  | { op: 'examined'; finding: 'alone' | 'accompanied' | 'busy' }
  /** Something people should know: a report that could not be sent, packages that are missing. */
  | { op: 'notice'; id: number; severity: 'info' | 'warning' | 'error'; message: string };

export type OpResult =
  /** `get`: the value, or that it has none yet (and, with `wait`, that it will come as a `value` event; so for `getAll`, as `values`). */
  | { status: 'value'; value: string; secret: boolean }
  | { status: 'unset' }
  | { status: 'values'; values: Record<string, string>; unset: string[] }
  | { status: 'ok' }
  /** `code` as in the error catalogue; `httpStatus` as SlipStream's text API would have answered. */
  | { status: 'error'; code: string; httpStatus: number; message: string };

export interface OpsRequest {
  /** Of the newest `hello`. A request that names another one comes from an agent that is gone: it is answered with 409. */
  session: string;
  ops: Op[];
}
export interface OpsResponse {
  results: OpResult[];
}

/** `GET /agent/reports/<name>`: how much of a report has arrived; `PUT …?offset=&size=&sha256=` sends the rest. */
export interface ReportProgress {
  received: number;
  complete: boolean;
}

/** What a connection for both ways is called in `Upgrade`. */
export const agentProtocol = 'paceline-agent';
/** What is said on such a connection only, in answer to the agent. */
export interface LinkEvents {
  results: OpsResponse;
  problem: ProblemEvent;
}

/** How long the agent gives a script between SIGTERM and SIGKILL, in milliseconds. */
export const scriptGraceMs = 5000;
/** The server sends a comment this often on a quiet stream, in milliseconds; three missed ones mean the link is dead. */
export const streamHeartbeatMs = 15_000;
/**
 * An agent that has nothing to say says so, with an empty `ops` request, when its last request is this many milliseconds ago;
 * three missed ones mean that the link is dead, whatever TCP believes.
 */
export const opsHeartbeatMs = 30_000;
