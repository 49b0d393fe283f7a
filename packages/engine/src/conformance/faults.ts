import assert from 'node:assert/strict';
import { isConnectorError, type Connector, type ConnectorContext } from '../connector/index.ts';
import { isTransient } from '../launch/retry.ts';
import type { Bench } from './bench.ts';
import type { Check } from './check.ts';
import type { FaultProxy, ProxiedAnswer, ProxyFault } from './fault-proxy.ts';
import { batchOf } from './launching.ts';
import type { ConformanceSubject, FaultySubject } from './subject.ts';

export function withoutFaults({ faults: through }: ConformanceSubject): string | undefined {
  return through === undefined ? 'no requests of it can be lost here' : undefined;
}

export async function withFaults(
  bench: Bench,
  work: (line: { connector: Connector; proxy: FaultProxy; by: FaultySubject }) => Promise<void>,
): Promise<void> {
  const by = bench.subject.faults;
  if (by === undefined) throw new Error('the subject has no way with faults');
  const { connector, proxy } = await by.open();
  try {
    await work({ connector, proxy, by });
  } finally {
    await connector.close?.();
    await proxy[Symbol.asyncDispose]();
  }
}

function throttledBy({ faults: through }: ConformanceSubject): ProxiedAnswer | undefined {
  return through?.refusals.find(({ code, retryAfterMs }) => code === 'throttled' && retryAfterMs === undefined)?.answer;
}

/** What every connector is asked for, each as one call. */
function callsOf(connector: Connector, bench: Bench, context: ConnectorContext): Record<string, () => Promise<unknown>> {
  return {
    launch: () => connector.launch(bench.request(), context),
    describe: () => connector.describe(['i-00000000000000001'], context),
    terminate: () => connector.terminate(['i-00000000000000001'], context),
    list: () => bench.list({}, connector, context),
    probe: () => connector.probe(context),
  };
}

const page = `<!DOCTYPE html><html><body>${'<p>We are sorry.</p>'.repeat(50_000)}</body></html>`;

/** What may come instead of an answer, from anything that stands on the way. */
const broken: { what: string; fault: ProxyFault }[] = [
  { what: 'a connection that is cut', fault: 'cut' },
  { what: 'an answer that is cut', fault: 'truncate' },
  { what: 'a page of a megabyte', fault: { answer: { status: 502, headers: { 'content-type': 'text/html' }, body: page } } },
  { what: 'an error without a word', fault: { answer: { status: 503 } } },
];

/** Chance that is the same in every run of the suite. */
function chances(): () => number {
  let state = 42;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** C02, C04, C09 to C12, C15, C16, C22: the network and the cloud fail. */
export const faults: Check[] = [
  {
    id: 'lost-answers',
    title: 'a launch whose answer is lost, once or three times, makes each machine once',
    skipped: withoutFaults,
    patience: 6,
    run: (bench) =>
      withFaults(bench, async ({ connector, proxy, by }) => {
        for (const times of [1, 3]) {
          const request = bench.request({ count: batchOf(bench) });
          let left = times;
          proxy.fault = (one) => (by.isLaunch(one) && left > 0 ? (left--, 'lose') : undefined);
          const machines = await bench.launchAll(request, connector);
          assert.equal(left, 0, 'answers were lost');
          const ids = machines.map(({ id }) => id).toSorted();
          assert.deepEqual(await bench.machines({ token: request.token }, ids.length), ids);
        }
      }),
  },
  {
    id: 'broken-answers',
    title: 'whatever comes instead of an answer is a failure with a code, and with few words',
    skipped: withoutFaults,
    patience: 6,
    run: (bench) =>
      withFaults(bench, async ({ connector, proxy }) => {
        for (const { what, fault } of broken) {
          proxy.fault = () => fault;
          for (const [name, call] of Object.entries(callsOf(connector, bench, bench.context))) {
            const { code, message } = await bench.failure(call());
            assert.ok(isTransient(code), `${name} after ${what} may be tried again, but its code is ${code}`);
            assert.ok(message.length < 2000, `${name} after ${what} says it briefly`);
          }
        }
      }),
  },
  {
    id: 'no-answer',
    title: 'a call that is never answered ends when nobody waits for it any more',
    skipped: withoutFaults,
    run: (bench) =>
      withFaults(bench, async ({ connector, proxy, by }) => {
        proxy.fault = () => 'hang';
        const aborter = new AbortController();
        const calls = Object.entries(callsOf(connector, bench, bench.contextWith(aborter.signal)));
        const outcomes = calls.map(async ([name, call]) => ({ name, failure: await bench.failure(call()) }));
        await bench.until('all have asked', () => proxy.seen.length >= (by.logsIn === true ? 1 : calls.length));
        aborter.abort();
        for (const { name, failure } of await Promise.all(outcomes)) assert.equal(failure.code, 'timeout', name);
      }),
  },
  {
    id: 'refusals',
    title: 'what the cloud refuses has the code that says what to do about it',
    skipped: withoutFaults,
    run: (bench) =>
      withFaults(bench, async ({ connector, proxy, by }) => {
        for (const { why, answer, code, retryAfterMs } of by.refusals) {
          proxy.fault = (one) => (by.isLaunch(one) ? { answer } : undefined);
          const failure = await bench.failure(connector.launch(bench.request(), bench.context));
          assert.equal(failure.code, code, why);
          if (retryAfterMs !== undefined) assert.equal(failure.details.retryAfterMs, retryAfterMs, why);
          proxy.fault = () => ({ answer });
          assert.equal((await bench.failure(connector.probe(bench.context))).code, code, `${why}, of any call`);
        }
      }),
  },
  {
    id: 'throttled',
    title: 'on a cloud that turns every fourth request away for its speed, no machine is lost or made twice',
    skipped: (subject) => withoutFaults(subject) ?? (throttledBy(subject) === undefined ? 'it is not known how it throttles' : undefined),
    patience: 6,
    run: (bench) =>
      withFaults(bench, async ({ connector, proxy }) => {
        const answer = throttledBy(bench.subject);
        assert.ok(answer);
        const random = chances();
        let refused = 0;
        proxy.fault = () => (random() < 0.25 ? (refused++, { answer }) : undefined);
        const machines = await bench.launchAll(bench.request({ count: batchOf(bench) }), connector);
        const ids = machines.map(({ id }) => id).toSorted();
        assert.deepEqual(await bench.machines({}, ids.length), ids);
        await bench.end(ids, connector);
        assert.ok(refused > 0, 'requests were turned away');
        assert.deepEqual(await bench.machines({}, 0), []);
      }),
  },
  {
    id: 'list-whole',
    title: 'a list of which some part cannot be had is a failure, never the rest of it',
    skipped: withoutFaults,
    async run(bench) {
      await bench.launch(bench.request({ count: batchOf(bench) }));
      let requests = 0;
      await withFaults(bench, async ({ connector, proxy }) => {
        await bench.list({}, connector);
        requests = proxy.seen.length;
      });
      // A way of its own for each: of a list that fails, other requests may still be on theirs.
      for (let at = 0; at < requests; at += 1) {
        await withFaults(bench, async ({ connector, proxy }) => {
          proxy.fault = () => (proxy.seen.length === at + 1 ? 'cut' : undefined);
          const failure = await bench.failure(bench.list({}, connector));
          assert.ok(isTransient(failure.code), `when request ${at + 1} of ${requests} is cut`);
        });
      }
    },
  },
  {
    id: 'soak',
    title: 'of twenty launches and ends, with a fault in every fifth request, nothing is left',
    skipped: withoutFaults,
    patience: 20,
    run: (bench) =>
      withFaults(bench, async ({ connector, proxy }) => {
        const random = chances();
        const kinds: ProxyFault[] = ['cut', 'lose', 'truncate'];
        proxy.fault = () => (random() < 0.2 ? kinds[Math.floor(random() * kinds.length)] : undefined);
        for (let round = 0; round < 20; round += 1) {
          const request = bench.request({ count: 1 + (round % batchOf(bench)) });
          const machines = await bench.launchAll(request, connector);
          const ids = machines.map(({ id }) => id).toSorted();
          assert.deepEqual(await bench.machines({ token: request.token }, ids.length), ids);
          await bench.end(ids, connector);
        }
        proxy.fault = () => undefined;
        await bench.until('nothing is listed', async () => {
          const left = await bench.list();
          // Something that is no machine may outlast a call that was cut: the engine removes it at the end of a run.
          for (const resource of left) if (resource.kind !== 'machine') await connector.remove?.(resource, bench.context).catch(unlessBusy);
          return left.length === 0;
        });
      }),
  },
];

function unlessBusy(error: unknown): void {
  if (!isConnectorError(error) || (error.code !== 'conflict' && !isTransient(error.code))) throw error;
}
