import { writeRanges } from '../connector/ranges.ts';
import { download, downloadBySocket } from './download.ts';
import { setupSha256 } from './setup-script.ts';
import { userDataTemplate } from './user-data-template.ts';
import { socketOnMachine, tunnelSetup, type TunnelSetup } from '../tunnel/tunnel-setup.ts';

/** What a machine has to know to call home. All of it can be read by any process of the machine; the secret is good for one join. */
export interface Bootstrap {
  /** Where the engine answers, without a trailing slash. */
  url: string;
  agentSha256: string;
  run: string;
  machine: Identity | SharedIdentity;
  expiresAt: Date;
  /** The Node.js that the engine has for machines without one. */
  runtime?: Runtime;
  /** For machines that their engine has to reach: by an account that they make for it, or by one that is there. */
  tunnel?: TunnelSetup | 'there';
}

/** Who a machine is. */
export interface Identity {
  instance: string;
  secret: string;
}

/** How a machine finds out who it is, of those that have the same user data. */
export interface SharedIdentity {
  /** What cloud-init is asked for its place among them. */
  placeKey: string;
  /** Of the launch: its own comes from this and its name. */
  launchSecret: string;
  node: string;
  /** The numbers of their instances, by their places. */
  numbers: readonly number[];
}

/** A Node.js that needs nothing but a C library. */
export interface Runtime {
  /** Of the machines on which it runs, as `uname -m` says. */
  machine: string;
  sha256: string;
}

/** The longest user data that we render, in bytes; EC2 allows 16 KiB. */
export const maxUserDataBytes = 4096;

/**
 * The shell script that cloud-init (or the `local` connector) runs when the machine boots: get the agent, check it, keep it running.
 * `PACELINE_ROOT`, `PACELINE_AGENT_CACHE`, `PACELINE_NODE`, `PACELINE_RESIDENT` and friends let a connector place things.
 */
export function renderUserData(bootstrap: Bootstrap): Uint8Array {
  const { url, agentSha256, run, machine, expiresAt, runtime, tunnel } = bootstrap;
  const config = { url, run, ...('instance' in machine && machine), expires: expiresAt.toISOString() };
  const values: Record<string, string> = {
    SHA: agentSha256,
    SETUP: setupSha256,
    URL: url,
    CONFIG: Object.entries(config)
      .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
      .join(','),
    LAUNCH: 'instance' in machine ? '' : `${machine.placeKey} ${machine.launchSecret} ${machine.node} ${writeRanges(machine.numbers)}`,
    RUNTIME: runtime === undefined ? '' : `Linux ${runtime.machine} ${runtime.sha256}`,
    END: `${expiresAt.toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    SECONDS: String(Math.ceil(expiresAt.getTime() / 1000)),
  };
  if (Object.values(values).some((value) => value.includes("'"))) throw new Error('a bootstrap value contains a quote');
  values['DOWNLOAD'] = tunnel === undefined ? download : downloadBySocket(tunnel !== 'there');
  values['SOCKET'] = tunnel === undefined ? '' : socketOnMachine;
  values['TUNNEL'] = typeof tunnel === 'object' ? tunnelSetup(tunnel) : '';
  const script = userDataTemplate.replace(/@([A-Z]+)@/g, (_, name: string) => values[name] ?? '');
  const bytes = new TextEncoder().encode(script);
  if (bytes.length > maxUserDataBytes) throw new Error(`user data of ${bytes.length} bytes, at most ${maxUserDataBytes} are allowed`);
  return bytes;
}
