import type { Connector, ConnectorContext } from '../connector/index.ts';
import { ConnectorError } from '../connector/index.ts';
import { withinLimit, type CallFrame, type CallKind } from './call-limit.ts';
import { fullRate, nextCallAt, quickened, slowed, usualLimits, withCall, type CallRate, type RateLimits } from './call-rate.ts';
import { afterAnswer, closedCircuit, stateOf, type Circuit } from './circuit.ts';
import { toConnectorError } from './connector-failure.ts';

/** What goes first when not everything can: machines that cost, then those that people wait for. */
const ranks: Record<CallKind, number> = {
  terminate: 0,
  launch: 1,
  resize: 2,
  attachDisk: 3,
  detachDisk: 3,
  describe: 4,
  consoleLog: 5,
  createImage: 6,
  resolveImage: 6,
  probe: 7,
  list: 8,
};

/** Calls to one cloud that may be under way at once, but for those about images: they take minutes or hours, and machines cannot wait for them. */
const mostAtOnce = 32;
/** A call that has not had its turn for so long is given up, in milliseconds. */
const longestWaitMs = 5 * 60_000;

interface Waiting {
  rank: number;
  /** What it takes of those that may be under way at once. */
  slots: 0 | 1;
  frame: CallFrame;
  start(): Promise<void>;
  refuse(error: ConnectorError): void;
  stopWaiting(): void;
}

/** All calls to one cloud with one credential go through here: at its speed, the important ones first, and none while it is broken. */
export class CallGate {
  readonly #connector: Connector;
  readonly #limits: RateLimits;
  #rate: CallRate | undefined;
  #circuit: Circuit = closedCircuit;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #isTrying = false;
  #cancelTimer: (() => void) | undefined;

  constructor(connector: Connector) {
    this.#connector = connector;
    this.#limits = connector.capabilities.calls ?? usualLimits;
  }

  /**
   * Makes a call as soon as it may be made.
   * @throws ConnectorError, also without having called: when the cloud is broken, or the turn does not come
   */
  pass<T>(frame: CallFrame, kind: CallKind, call: (context: ConnectorContext) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const signal = frame.signal();
    const onStop = (): void => leave(new ConnectorError('unavailable', (signal.reason as Error).message, { untouched: true }));
    const late = (): void =>
      leave(new ConnectorError('throttled', `the cloud takes so few calls that ${kind} was not its turn`, { untouched: true }));
    const cancel = frame.clock.after(longestWaitMs, late);
    const waiting: Waiting = {
      rank: ranks[kind],
      slots: kind === 'createImage' || kind === 'resolveImage' ? 0 : 1,
      frame,
      start: () => this.#carryOut(frame, kind, call).then(resolve, reject),
      refuse: reject,
      stopWaiting() {
        cancel();
        signal.removeEventListener('abort', onStop);
      },
    };
    const leave = (error: ConnectorError): void => {
      waiting.stopWaiting();
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      reject(error);
    };
    if (signal.aborted) onStop();
    else {
      signal.addEventListener('abort', onStop);
      const at = this.#waiting.findIndex(({ rank }) => rank > waiting.rank);
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiting);
      this.#pump(frame);
    }
    return promise;
  }

  #pump(frame: CallFrame): void {
    for (;;) {
      const [next] = this.#waiting;
      // What ends machines is not kept by calls that hang.
      if (next === undefined || (this.#underWay >= mostAtOnce && next.rank > 0 && next.slots > 0)) return;
      const now = frame.clock.elapsed();
      const state = stateOf(this.#circuit, now);
      if (state === 'open') return this.#refuseAll(now);
      // On behalf of somebody who waits: nothing is learned of a call of those that wait no more, and it would be made for ever.
      if (state === 'half-open') return void this.#try(next.frame);
      const rate = this.#rateAt(now);
      const at = nextCallAt(rate, this.#limits, now);
      if (at > now) return this.#wakeUp(frame, at - now);
      this.#waiting.shift();
      this.#rate = withCall(rate, this.#limits, now);
      this.#underWay += next.slots;
      next.stopWaiting();
      void next.start().finally(() => {
        this.#underWay -= next.slots;
        this.#pump(frame);
      });
    }
  }

  async #carryOut<T>(frame: CallFrame, kind: CallKind, call: (context: ConnectorContext) => Promise<T>): Promise<T> {
    const signal = frame.signal();
    const askedAt = frame.clock.elapsed();
    try {
      const result = await withinLimit(frame, kind, call);
      this.#learn(frame, askedAt, undefined);
      return result;
    } catch (cause) {
      // What fails because it was given up says nothing of the cloud.
      if (!signal.aborted) this.#learn(frame, askedAt, toConnectorError(cause));
      throw cause;
    }
  }

  #learn({ clock, log }: CallFrame, askedAt: number, error: ConnectorError | undefined): void {
    const now = clock.elapsed();
    const rate = this.#rateAt(now);
    this.#rate = error?.code === 'throttled' ? slowed(rate, this.#limits, now, error.details.retryAfterMs) : quickened(rate, this.#limits);
    const before = this.#circuit;
    this.#circuit = afterAnswer(before, error, askedAt, now);
    if (this.#circuit.openUntil > before.openUntil) {
      const pause = Math.round((this.#circuit.openUntil - now) / 1000);
      log.warn(
        `${this.#connector.info.name} has failed ${this.#circuit.failures} times in a row, and is left alone for ${pause} s: ${error?.message}`,
      );
    }
  }

  /** One call without any effect says whether it works again. */
  async #try(frame: CallFrame): Promise<void> {
    if (this.#isTrying) return;
    this.#isTrying = true;
    await this.#carryOut(frame, 'probe', (context) => this.#connector.probe(context)).catch(() => {});
    this.#isTrying = false;
    this.#pump(frame);
  }

  #refuseAll(now: number): void {
    const { last, openUntil, failures } = this.#circuit;
    const code = last?.code === 'auth' ? 'auth' : 'unavailable';
    const message = `the cloud has failed ${failures} times in a row and is left alone for a while: ${last?.message}`;
    const details = {
      untouched: true,
      retryAfterMs: openUntil - now,
      cause: last,
      ...(last?.details.hint !== undefined && { hint: last.details.hint }),
    };
    for (const waiting of this.#waiting.splice(0)) {
      waiting.stopWaiting();
      waiting.refuse(new ConnectorError(code, message, details));
    }
  }

  #wakeUp(frame: CallFrame, ms: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = frame.clock.after(ms, () => {
      this.#cancelTimer = undefined;
      this.#pump(frame);
    });
  }

  #rateAt(now: number): CallRate {
    return (this.#rate ??= fullRate(this.#limits, now));
  }
}
