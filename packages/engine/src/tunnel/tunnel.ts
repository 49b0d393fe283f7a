import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { SshAccess, SshSession } from '../ssh/index.ts';
import { takeTunnel, tunnelSocket } from './holder.ts';

/** One machine that has to be reached. */
export interface TunnelTarget {
  /** Where it is and how to log in; asked for each connection. */
  access(signal: AbortSignal): Promise<TunnelAccess>;
}

export interface TunnelAccess extends SshAccess {
  /** Absolute path of a folder there that only this account and root can write to: the socket that leads here will be in it. */
  folder: string;
}

export interface TunnelPorts {
  clock: Clock;
  random: () => number;
  open(access: SshAccess, signal: AbortSignal): Promise<SshSession>;
  /** Takes a connection that the machine has opened. */
  accept(channel: Duplex): void;
  /** Runs a handshake when it is its turn. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Hears of every change: undefined when the tunnel is there, and why when it is not. */
  changed: (failure: Error | undefined) => void;
}

const firstPauseMs = 500;
const longestPauseMs = 15_000;
/** What came up may take so long to be of use, in milliseconds: log-in, the end of the session before, and the forwarding. */
const attemptMs = 30_000;
/** A tunnel that lasted this long, in milliseconds, was no failure. */
const goodMs = 10_000;

/** Keeps one machine connected until it is closed: again and again, less and less often while that fails. */
export class Tunnel {
  readonly #target: TunnelTarget;
  readonly #ports: TunnelPorts;
  readonly #stop = new AbortController();
  #session: SshSession | undefined;
  #failures = 0;

  constructor(target: TunnelTarget, ports: TunnelPorts) {
    this.#target = target;
    this.#ports = ports;
    void this.#keep();
  }

  get isUp(): boolean {
    return this.#session !== undefined;
  }

  close(): void {
    this.#stop.abort();
    this.#session?.end();
  }

  async #keep(): Promise<void> {
    const { clock, changed } = this.#ports;
    const stopped = (): boolean => this.#stop.signal.aborted;
    while (!stopped()) {
      try {
        const session = await this.#ports.inTurn(() => this.#open());
        const since = clock.now();
        this.#session = session;
        changed(undefined);
        await session.ended;
        this.#session = undefined;
        if (clock.now() - since >= goodMs) this.#failures = 0;
        if (!stopped()) changed(new Error('The connection was cut'));
      } catch (error) {
        if (!stopped()) changed(error instanceof Error ? error : new Error(String(error)));
      }
      await this.#pause();
    }
  }

  async #open(): Promise<SshSession> {
    const late = new AbortController();
    const cancel = this.#ports.clock.after(attemptMs, () => late.abort(new Error(`It took longer than ${attemptMs / 1000} s`)));
    const signal = AbortSignal.any([this.#stop.signal, late.signal]);
    let session: SshSession | undefined;
    const endSession = (): void => session?.end();
    try {
      signal.throwIfAborted();
      const access = await this.#target.access(signal);
      session = await this.#ports.open(access, signal);
      signal.addEventListener('abort', endSession);
      // A shell of its own, in the place of the login shell: whoever began that is the session.
      const { code, stderr } = await session.run('exec sh', { input: takeTunnel(access.folder), signal });
      if (code !== 0) throw new Error(`There can be no tunnel in ${access.folder} (exit code ${code}): ${stderr.trim()}`);
      await session.forward(tunnelSocket(access.folder), (channel) => this.#ports.accept(channel), signal);
      signal.throwIfAborted();
      return session;
    } catch (error) {
      session?.end();
      throw error;
    } finally {
      signal.removeEventListener('abort', endSession);
      cancel();
    }
  }

  /** Between half and all of a time that doubles, so that machines that were cut together do not come back together. */
  #pause(): Promise<void> {
    const { clock, random } = this.#ports;
    const ms = Math.min(firstPauseMs * 2 ** this.#failures++, longestPauseMs) * (0.5 + random() / 2);
    const { signal } = this.#stop;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      signal.addEventListener('abort', () => (cancel(), resolve()), { once: true });
    });
  }
}
