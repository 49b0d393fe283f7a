import { createHash } from 'node:crypto';
import type { AgentOptions, RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { Transport } from './http.ts';

/**
 * TLS is loaded only where it is needed: it costs 5 MB of memory.
 * @param pin the engine's public key as curl writes it; without one the machine's certificate authorities decide
 */
export async function secureTransport(options: AgentOptions, pin: string | undefined): Promise<Transport> {
  const { Agent, request } = await import('node:https');
  const { connect } = await import('node:tls');

  /** Trusts one public key, and no authority. The connection is given out only after the check. */
  class PinnedAgent extends Agent {
    override createConnection(to: RequestOptions, callback?: (error: Error | null, socket: Duplex) => void): undefined {
      const done = callback as (error: Error | null, socket?: Duplex) => void;
      const socket = connect({ ...(to as ConnectionOptions), rejectUnauthorized: false });
      socket.once('error', done);
      socket.once('secureConnect', () => {
        socket.off('error', done);
        const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
        const seen = key && `sha256//${createHash('sha256').update(key).digest('base64')}`;
        if (seen === pin) return done(null, socket);
        socket.destroy();
        done(new Error(`the engine's public key is ${seen ?? 'missing'}, not ${pin}`));
      });
    }
  }

  const agent = new (pin ? PinnedAgent : Agent)(options);
  return { agent, request };
}
