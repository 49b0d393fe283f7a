import type { StreamEvents } from '@paceline/api/agent';
import type { Instance } from '../run/instance.ts';

/** The way to one connected agent. `send` must not block and must not throw; a dead link loses what is sent, `hello` makes up for it. */
export interface AgentLink {
  send<E extends keyof StreamEvents>(event: E, data: StreamEvents[E]): void;
  /** Ends the stream. */
  close(): void;
}

/** One instance's agent while it is connected. */
export interface Session {
  /** What the agent names this connection by. */
  readonly id: string;
  readonly instance: Instance;
  readonly link: AgentLink;
  /** The assignment that the agent was last told; undefined before it was greeted. */
  told: string | undefined;
  /** What the agent has found its step to be doing, when it was last asked. */
  finding: 'alone' | 'accompanied' | 'busy' | undefined;
  /** When it last said something, in milliseconds as `Clock.elapsed` counts them. */
  heard: number;
}
