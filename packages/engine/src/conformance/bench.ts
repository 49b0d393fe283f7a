import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  isConnectorError,
  type Connector,
  type ConnectorContext,
  type ConnectorError,
  type LaunchRequest,
  type Machine,
  type OwnerQuery,
  type Resource,
} from '../connector/index.ts';
import { isTransient } from '../launch/retry.ts';
import { openHome, type Home } from './home.ts';
import { endAllOf, listOf } from './leftovers.ts';
import type { ConformanceSubject } from './subject.ts';

/** What a check works with: an engine of its own, whose machines are all ended afterwards. */
export class Bench {
  readonly subject: ConformanceSubject;
  readonly connector: Connector;
  readonly engine = `conformance-${randomUUID()}`;
  readonly run = randomUUID();
  readonly context: ConnectorContext;
  readonly #aborter = new AbortController();
  readonly #signal: AbortSignal;
  #home: Home | undefined;

  /** @param signal aborted when nobody waits for the check any more */
  constructor(subject: ConformanceSubject, signal?: AbortSignal) {
    this.subject = subject;
    this.connector = subject.createConnector();
    this.#signal = signal === undefined ? this.#aborter.signal : AbortSignal.any([signal, this.#aborter.signal]);
    this.context = this.contextWith(this.#signal);
    subject.journal?.begin(this.engine);
  }

  contextWith(signal: AbortSignal): ConnectorContext {
    return { signal, now: Date.now, log: { info: () => undefined, warn: () => undefined } };
  }

  /** A server that machines reach. */
  async home(): Promise<Home> {
    if (this.subject.host === undefined) throw new Error('the subject has no host');
    this.#home ??= await openHome(this.subject.host, (url) => this.connector.hostUrl?.(url) ?? url);
    return this.#home;
  }

  /** A launch of `count` machines, which live for an hour and do nothing. Names are different in all launches of a bench. */
  request({ count = 1, userData = '#!/bin/sh\nexit 0\n', ...rest }: RequestOptions = {}): LaunchRequest {
    const token = randomBytes(16).toString('hex');
    const bytes = typeof userData === 'string' ? new TextEncoder().encode(userData) : userData;
    return {
      token,
      owner: { engine: this.engine, run: this.run, node: 'node' },
      machines: Array.from({ length: count }, (_, at) => ({
        index: at + 1,
        name: `node-${at + 1}-${token.slice(0, 8)}`,
        userData: bytes,
      })),
      image: this.subject.image,
      ports: [],
      expiresAt: new Date(Date.now() + 3_600_000),
      ...rest,
    };
  }

  launch(request: LaunchRequest): Promise<Machine[]> {
    return this.connector.launch(request, this.context);
  }

  /** Launches as the engine does: again while machines are missing, or the failure may pass. */
  launchAll(request: LaunchRequest, connector = this.connector): Promise<Machine[]> {
    return this.until('all machines are launched', async () => {
      const machines = await insist(connector.launch(request, this.context));
      return machines?.length === request.machines.length && machines;
    });
  }

  async launchOne(options: RequestOptions = {}): Promise<Machine> {
    const [machine] = await this.launch(this.request(options));
    if (machine === undefined) throw new Error('the launch returned no machine');
    return machine;
  }

  /** Undefined when the cloud does not know it, or says that it is no more. */
  async describe(id: string, connector = this.connector): Promise<Machine | undefined> {
    const machine = (await connector.describe([id], this.context)).get(id);
    return machine?.state === 'terminated' ? undefined : machine;
  }

  async list(query: Partial<OwnerQuery> = {}, connector = this.connector, context = this.context): Promise<Resource[]> {
    return listOf(connector, { engine: this.engine, ...query }, context);
  }

  /** The machines that the cloud shows, by id; once there are as many as that, since a cloud may be slow to show them. */
  async machines(query: Partial<OwnerQuery> = {}, count?: number): Promise<string[]> {
    const limit = Date.now() + this.connector.capabilities.listConsistencyMs;
    for (;;) {
      const ids = (await this.list(query)).filter(({ kind }) => kind === 'machine').map(({ id }) => id);
      if (count === undefined || ids.length === count || Date.now() >= limit) return ids.toSorted();
      await pause(500);
    }
  }

  /** Ends machines, and waits until the cloud says that they are gone. */
  async end(ids: readonly string[], connector = this.connector): Promise<void> {
    await this.until('the machines are gone', async () => {
      const results = await insist(connector.terminate(ids, this.context));
      return results?.every(({ gone }) => gone);
    });
  }

  /** Calls as the engine does: again when the failure may pass. */
  async persistently<T>(what: string, call: () => Promise<T>): Promise<T> {
    return (await this.until(what, () => insist(call().then((value) => ({ value }))))).value;
  }

  /** The first value that is neither undefined nor false. @throws when the subject's patience is over, or nobody waits any more */
  async until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
    const end = Date.now() + this.subject.patienceMs;
    for (;;) {
      this.#signal.throwIfAborted();
      const value = await look();
      if (value !== undefined && value !== false) return value;
      if (Date.now() > end) throw new Error(`waited ${this.subject.patienceMs} ms in vain: ${what}`);
      await pause(50);
    }
  }

  /** The failure of a call that has to fail. */
  async failure(call: Promise<unknown>): Promise<ConnectorError> {
    const outcome = await call.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (outcome === undefined) throw new Error('the call did not fail');
    if (!isConnectorError(outcome.error)) throw new Error('the failure is no ConnectorError', { cause: outcome.error });
    return outcome.error;
  }

  /**
   * Ends all that a check has left, images too.
   * @param settleMs how long the cloud may hide what was made last
   */
  async close(settleMs = 0): Promise<void> {
    this.#aborter.abort();
    try {
      await endAllOf(this.connector, this.engine, { patienceMs: this.subject.patienceMs, settleMs });
      this.subject.journal?.end(this.engine);
    } finally {
      await this.#home?.close();
      await this.connector.close?.();
    }
  }
}

/** Undefined if the call has failed in a way that may pass: then it is the engine that tries again. */
async function insist<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isConnectorError(error) && isTransient(error.code)) return undefined;
    throw error;
  }
}

export type RequestOptions = Partial<LaunchRequest> & { count?: number; userData?: string | Uint8Array };
