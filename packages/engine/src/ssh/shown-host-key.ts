import { Socket } from 'node:net';
import ssh2 from 'ssh2';
import { allAlgorithms, hostKeyText } from './host-key.ts';

const patienceMs = 20_000;

/**
 * The key that an SSH server shows to a stranger, as in a known_hosts file. Nothing is sent to it that it could use. Whoever logs in on the
 * strength of that trusts whatever answers there.
 * @throws what the network or the server says, and when the signal ends first
 */
export async function shownHostKey(host: string, port: number, signal: AbortSignal): Promise<string> {
  const client = new ssh2.Client();
  const socket = new Socket();
  const shown = Promise.withResolvers<string>();
  const where = `${host} port ${port}`;
  const giveUp = (): void => shown.reject(new Error(`Gave up to ask ${where} for its key`, { cause: signal.reason }));
  signal.addEventListener('abort', giveUp, { once: true });
  client.on('error', (error) => shown.reject(error));
  client.on('close', () => shown.reject(new Error(`The SSH server at ${where} closed the connection`)));
  if (signal.aborted) giveUp();
  else {
    client.connect({
      username: 'nobody',
      readyTimeout: patienceMs,
      algorithms: { serverHostKey: allAlgorithms },
      hostVerifier: (key: Buffer) => {
        shown.resolve(hostKeyText(key));
        return false;
      },
      sock: socket.connect(port, host),
    });
  }
  try {
    return await shown.promise;
  } finally {
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}
