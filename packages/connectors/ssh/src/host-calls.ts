import { ConnectorError, isConnectorError, type ConnectorErrorCode, type SshAccess, type SshCredential } from '@paceline/engine/connector';
import { HostKeyMismatch, openSession, turns, type Ran, type SshSession } from '@paceline/engine/ssh';
import { hostProgram } from './host-program.ts';
import type { Host } from './inventory.ts';

/** Log-ins at a time. */
const atOnce = 16;

/** Asks hosts, over a connection for each question. */
export class HostCalls {
  readonly #credential: () => Promise<SshCredential>;
  readonly #inTurn = turns(atOnce);
  readonly #open: typeof openSession;

  constructor(credential: () => Promise<SshCredential>, open = openSession) {
    this.#credential = credential;
    this.#open = open;
  }

  async access({ access }: Host): Promise<SshAccess> {
    return { ...access, credential: await this.#credential() };
  }

  /**
   * Runs one command of the host's program.
   * @param variables set before; the program finds them by name
   * @returns what it printed
   * @throws ConnectorError: `unavailable` when the host does not answer, `forbidden` for another host key, `auth` when it does not let us in
   */
  async ask(host: Host, words: readonly (string | number)[], signal: AbortSignal, variables: Record<string, string> = {}): Promise<string> {
    const access = await this.access(host);
    const ran = await this.#inTurn(() => this.#run(host, access, input(host, words, variables), signal));
    if (ran.code === 0) {
      return ran.stdout;
    }
    const said = ran.stderr.trim().split('\n').slice(-3).join('; ');
    throw new ConnectorError(
      'internal',
      `The host ${host.name} could not do what it was asked (${words[0]}): ${said || `exit code ${ran.code}`}`,
      {
        hint: 'It needs a POSIX shell, coreutils and util-linux.',
      },
    );
  }

  async #run(host: Host, access: SshAccess, text: string, signal: AbortSignal): Promise<Ran> {
    let session: SshSession | undefined;
    try {
      session = await this.#open(access, signal);
      return await session.run('exec sh', { input: text, signal });
    } catch (error) {
      throw toHostError(host, error, signal);
    } finally {
      session?.end();
    }
  }
}

function input(host: Host, words: readonly (string | number)[], variables: Record<string, string>): string {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}\n`);
  return `${assignments.join('')}set -- ${[host.directory, ...words].map((word) => quoted(String(word))).join(' ')}\n${hostProgram}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function toHostError(host: Host, error: unknown, signal: AbortSignal): ConnectorError {
  if (isConnectorError(error)) {
    return error;
  }
  const said = error instanceof Error ? error.message : String(error);
  const fail = (code: ConnectorErrorCode, message: string, hint?: string): ConnectorError =>
    new ConnectorError(code, message, { cause: error, ...(hint === undefined ? {} : { hint }) });
  if (signal.aborted) {
    return fail('timeout', `The host ${host.name} did not answer in time`);
  }
  if (error instanceof HostKeyMismatch) {
    return fail(
      'forbidden',
      `The host ${host.name} is refused: ${said}`,
      'If it was installed anew, put its new key into the clouds file as `hostKey`.',
    );
  }
  if (error instanceof Error && 'level' in error && error.level === 'client-authentication') {
    return fail(
      'auth',
      `The host ${host.name} does not let ${host.access.user} in with the key that we have`,
      'Put the public key into its authorized_keys.',
    );
  }
  return fail('unavailable', `The host ${host.name} does not answer: ${said}`);
}
