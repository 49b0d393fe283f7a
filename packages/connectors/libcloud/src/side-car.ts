import { readFileSync } from 'node:fs';
import { createExecConnector, Program } from '@paceline/connector-exec';
import { ConnectorError, isConnectorError, type Connector } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { libcloudVersion, sideCarProgram } from './programs.ts';

/** Libcloud is loaded from many files: on a busy host that takes its time. A request that is given up takes thirty seconds to end. */
const graceSeconds = 60;

/**
 * The side-car of a cloud; it is started when something is asked of it.
 * @throws ConnectorError auth for a credential that is not there
 */
export function programOf({ python, credentials, ssh, ...settings }: Config): Program {
  return new Program(
    {
      // Isolated: neither the working directory nor the user's own packages are looked into. Nothing is written beside modules.
      command: [python, '-I', '-B', '-c', sideCarProgram],
      config: { ...settings, bootsBySsh: ssh !== undefined, ...(ssh !== undefined && { publicKey: publicKeyOf(ssh.identity) }) },
      secrets: Object.fromEntries(Object.keys(credentials).map((name) => [name, name])),
      environment: ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'],
      graceSeconds,
    },
    secretsOf(credentials),
  );
}

/**
 * Starts the side-car, and asks it what the driver can do.
 * @throws ConnectorError invalid for settings that the driver refuses, auth for a credential that is not there, unsupported when Libcloud is
 * not installed
 */
export async function startSideCar(config: Config): Promise<Connector> {
  const program = programOf(config);
  try {
    return createExecConnector(program, await program.greet());
  } catch (error) {
    await program.close();
    if (!isConnectorError(error) || error.code !== 'unavailable') throw error;
    throw new ConnectorError('unavailable', error.message, {
      cause: error,
      hint: `\`python\` has to be a Python 3.10 or newer with apache-libcloud (${libcloudVersion} is what we test with).`,
    });
  }
}

function secretsOf(credentials: Config['credentials']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(credentials).map(([name, from]) => {
      if ('file' in from) return [name, contentOf(from.file, `holds the credential ${name}`)];
      const value = process.env[from.env];
      if (value === undefined) {
        throw new ConnectorError('auth', `The environment variable ${from.env}, which holds the credential ${name}, is not set`);
      }
      return [name, value];
    }),
  );
}

function publicKeyOf(identity: string): string {
  return contentOf(`${identity}.pub`, 'holds the public key to log in with');
}

function contentOf(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new ConnectorError('auth', `${path}, which ${what}, cannot be read: ${(cause as Error).message}`, { cause });
  }
}
