import { ConnectorError, type ConnectorContext, type TerminateResult } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { HostCalls } from './host-calls.ts';
import { HostHealth, isSilence } from './host-health.ts';
import { credentialOf, hostsOf, type Host } from './inventory.ts';
import { parseMachineId } from './lease.ts';
import { LeaseMemory } from './lease-memory.ts';

/** The hosts of a cloud, and the way to them. */
export class Site {
  readonly hosts: readonly Host[];
  readonly calls: HostCalls;
  readonly health = new HostHealth();
  readonly memory = new LeaseMemory();

  constructor(config: Config, calls = new HostCalls(() => credentialOf(config))) {
    this.hosts = hostsOf(config);
    this.calls = calls;
  }

  /** The hosts that are asked when all are. */
  get online(): Host[] {
    return this.hosts.filter(({ offline }) => !offline);
  }

  hostOf(id: string): { host: Host; lease: string; expires: number } | undefined {
    const parsed = parseMachineId(id);
    const host = parsed && this.hosts.find(({ name }) => name === parsed.host);
    return parsed === undefined || host === undefined ? undefined : { ...parsed, host };
  }

  /** The name of the host of a machine that may live still, where the inventory has no such host any more. */
  strangerOf(id: string, now: number): string | undefined {
    const parsed = parseMachineId(id);
    return parsed === undefined || this.hostOf(id) !== undefined || isOver(parsed, now) ? undefined : parsed.host;
  }

  /** What is to be said of a machine of such a host. */
  stranger(name: string, context: ConnectorContext): ConnectorError {
    const message = `The host ${name} is not in the clouds file any more, so nobody knows what is on it`;
    this.health.note({ name }, message, context);
    return new ConnectorError('unavailable', message, {
      hint: 'Put it back until its machines have ended; with labels that nobody asks for it gets no others.',
    });
  }

  /** Ends a machine. On a host that cannot be asked it ends by itself, at its end of life: from then on it is gone. */
  async drop(id: string, context: ConnectorContext): Promise<TerminateResult> {
    const found = this.hostOf(id);
    if (found === undefined) {
      return { id, gone: this.strangerOf(id, context.now()) === undefined };
    }
    const { host, lease } = found;
    try {
      await this.health.watch(host, context, () => this.calls.ask(host, ['drop', lease], context.signal));
      return { id, gone: true };
    } catch (error) {
      if (!isSilence(error)) throw error;
      return { id, gone: isOver(found, context.now()) };
    }
  }
}

function isOver({ expires }: { expires: number }, now: number): boolean {
  return now > (expires + graceSeconds) * 1000;
}

/** Clocks differ, and ending takes a moment. */
const graceSeconds = 120;
