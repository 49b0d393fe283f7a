import { machineChange } from '../launch/ledger.ts';
import type { Change } from '../run/change.ts';
import type { Severity } from '../run/event.ts';
import type { Run } from '../run/run.ts';
import { HostKeyMismatch } from '../ssh/host-key.ts';

/** Why a machine cannot be reached by SSH, for people. */
export interface Trouble {
  /** One line: what is wrong, and what to do. */
  text: string;
  /** That the machine is still booting is no explanation. */
  isDecisive: boolean;
}

const beginning = 'cannot be reached by SSH';
/** Longer than what any real server says. */
const longestMessage = 300;

/** What a failed attempt to reach a machine means. */
export function troubleOf(error: Error): Trouble {
  const { text, isDecisive = false } = explain(error);
  return { text: `${beginning}: ${inOneLine(error.message)}${text === undefined ? '' : `. ${text}`}`, isDecisive };
}

/** The machine may have written it: why it ends a session is its own words, and they would be kept with the run. */
function inOneLine(message: string): string {
  return message.replaceAll(/[\s\p{Cc}]+/gu, ' ').slice(0, longestMessage);
}

function explain(error: Error): { text?: string; isDecisive?: boolean } {
  const { code, level } = error as { code?: unknown; level?: unknown };
  if (error instanceof HostKeyMismatch) {
    return {
      text: 'Either it has not run its user data yet (see its console, and whether its image has cloud-init), or another machine has its address',
    };
  }
  if (level === 'client-authentication') {
    return {
      text: 'Its SSH server has the right key and refuses the account of the engine: see AllowUsers and the like in its sshd_config',
      isDecisive: true,
    };
  }
  if (error.message.startsWith('Unable to bind to') || error.message.startsWith('strictVendor')) {
    return { text: 'Its SSH server must be OpenSSH, with AllowStreamLocalForwarding', isDecisive: true };
  }
  if (code === 'ECONNREFUSED') return { text: 'Nothing listens there: does its image have an SSH server?' };
  if (
    code === 'ETIMEDOUT' ||
    code === 'EHOSTUNREACH' ||
    code === 'ENETUNREACH' ||
    level === 'client-timeout' ||
    level === 'client-socket'
  ) {
    return { text: 'Is there a way from the engine to this address, and do firewalls and security groups (`sshFrom`) let it through?' };
  }
  return {};
}

/** What follows for a run when one of its machines cannot be reached, or can again. */
export function troubleChanges(run: Run, name: string, trouble: string | undefined, at: number): Change[] {
  const instance = run.instances.get(name);
  if (instance === undefined) return [];
  const { fault, status } = instance.machine;
  const isKnown = fault?.startsWith(beginning) === true;
  const tell = (severity: Severity, message: string): Change => ({
    kind: 'event',
    at,
    body: { type: 'instance.notice', severity, message, data: { instance: name } },
  });
  if (trouble === undefined) return isKnown ? [machineChange(instance, { fault: null }), tell('info', `${name} is reached by SSH`)] : [];
  if (trouble === fault || status !== 'launched' || (fault !== null && !isKnown)) return [];
  return [machineChange(instance, { fault: trouble }), ...(isKnown ? [] : [tell('warning', `${name} ${trouble}`)])];
}
