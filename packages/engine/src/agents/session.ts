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
  readonly instance: Instance;
  readonly link: AgentLink;
  /** `seq` and abort reason that the agent was last told. */
  told: string;
}
