import { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import ssh2, { type Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import type { SshAccess } from './access.ts';
import { algorithmsFor, HostKeyMismatch, isKnown } from './host-key.ts';

/** How long a machine has to answer, key exchange and log-in included, in milliseconds. */
const handshakeMs = 20_000;
/** A machine that is silent for three of these, in milliseconds, is gone. */
const probeEveryMs = 10_000;

/** What is taken of a command's output, in bytes: the machine may be hostile. */
const mostOutput = 4 * 1024 * 1024;
/** Connections that a machine may have open at once by the socket that leads here. */
const mostChannels = 64;
/** How long the machine may take to agree to the end, in milliseconds. */
const farewellMs = 2000;

/** What a command left behind; `code` is null when a signal ended it. */
export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A connection to a machine. */
export interface SshSession {
  /** Runs a command of the login shell to its end. @throws when the connection or the signal ends before, or it prints too much */
  run(command: string, options: { input?: string; signal: AbortSignal }): Promise<Ran>;
  /**
   * Lets a Unix socket of the machine lead here, which the account that has logged in and root may use; every connection there is handed over.
   * @throws when the file is there already, the machine does not allow it, or the signal ends before it has answered
   */
  forward(socketPath: string, accept: (channel: Duplex) => void, signal: AbortSignal): Promise<void>;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  end(): void;
}

/**
 * Logs in with a key.
 * @throws HostKeyMismatch before anything was sent that the machine could use; otherwise what the network or the machine says
 */
export function openSession(access: SshAccess, signal: AbortSignal): Promise<SshSession> {
  const where = `${access.host} port ${access.port}`;
  const client = new ssh2.Client();
  // Of our own: the client cannot destroy what it has ended.
  const socket = new Socket();
  const opened = Promise.withResolvers<SshSession>();
  const ended = Promise.withResolvers<void>();
  const giveUp = (): void => {
    opened.reject(new Error(`Gave up to connect to ${where}`, { cause: signal.reason }));
    socket.destroy();
  };
  signal.addEventListener('abort', giveUp, { once: true });
  client.on('ready', () => {
    signal.removeEventListener('abort', giveUp);
    opened.resolve(sessionOf(client, socket, ended.promise));
  });
  client.on('error', (error) => opened.reject(error));
  client.on('close', () => {
    signal.removeEventListener('abort', giveUp);
    opened.reject(new Error(`The SSH server at ${where} closed the connection`));
    ended.resolve();
  });
  if (signal.aborted) giveUp();
  else {
    const refuse = (shown: Buffer): void => opened.reject(new HostKeyMismatch(where, shown));
    client.connect({ ...configOf(access, refuse), sock: socket.connect(access.port, access.host) });
  }
  return opened.promise;
}

function configOf({ user, hostKeys, credential }: SshAccess, refuse: (shown: Buffer) => void): ConnectConfig {
  return {
    username: user,
    ...credential,
    readyTimeout: handshakeMs,
    keepaliveInterval: probeEveryMs,
    algorithms: { serverHostKey: algorithmsFor(hostKeys) },
    hostVerifier: (shown: Buffer) => {
      const isRight = isKnown(shown, hostKeys);
      if (!isRight) refuse(shown);
      return isRight;
    },
  };
}

function sessionOf(client: Client, socket: Socket, ended: Promise<void>): SshSession {
  return {
    ended,
    end() {
      client.end();
      // A machine that does not answer keeps nothing here.
      const timer = setTimeout(() => socket.destroy(), farewellMs);
      void ended.then(() => clearTimeout(timer));
    },
    run: (command, options) => run(client, command, options),
    forward(socketPath, accept, signal) {
      let channels = 0;
      client.on('unix connection', (_info, take, refuse) => {
        if (channels >= mostChannels) return refuse();
        channels += 1;
        const channel = take();
        channel.once('close', () => (channels -= 1));
        // Whoever uses it hears of its end; an error on the way there is the end, too.
        channel.on('error', () => channel.destroy());
        accept(channel);
      });
      return new Promise((resolve, reject) => {
        client.once('close', () => reject(new Error('The connection has ended')));
        signal.addEventListener('abort', () => reject(new Error('Gave up to wait for a socket', { cause: signal.reason })), { once: true });
        client.openssh_forwardInStreamLocal(socketPath, (error) => (error instanceof Error ? reject(error) : resolve()));
      });
    },
  };
}

async function run(client: Client, command: string, { input, signal }: { input?: string; signal: AbortSignal }): Promise<Ran> {
  const lost = Promise.withResolvers<never>();
  const onAbort = (): void => lost.reject(new Error('Gave up to wait for a command', { cause: signal.reason }));
  const onClose = (): void => lost.reject(new Error('The connection ended before the command did'));
  client.once('close', onClose);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const opened = new Promise<ClientChannel>((resolve, reject) => {
      client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
    });
    return await Promise.race([opened.then((channel) => outcome(channel, input)), lost.promise]);
  } finally {
    client.removeListener('close', onClose);
    signal.removeEventListener('abort', onAbort);
  }
}

async function outcome(channel: ClientChannel, input: string | undefined): Promise<Ran> {
  const code = new Promise<number | null>((resolve) => channel.on('exit', (status: number | null) => resolve(status)));
  const closed = new Promise<null>((resolve) => channel.on('close', () => resolve(null)));
  channel.end(input ?? '');
  const [stdout, stderr] = await Promise.all([limitedText(channel), limitedText(channel.stderr)]);
  return { code: await Promise.race([code, closed]), stdout, stderr };
}

async function limitedText(stream: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > mostOutput) throw new Error(`A command of the machine printed more than ${mostOutput} bytes`);
  }
  return Buffer.concat(pieces).toString();
}
