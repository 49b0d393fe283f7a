import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Check } from './check.ts';
import { batchOf } from './launching.ts';

const secret = 'conformance-secret-in-user-data';

/** C10, C15, C16, C19: failures, and calls that are given up. */
export const failing: Check[] = [
  {
    id: 'probe',
    title: 'a probe says whose account it is, and why one cannot be used',
    async run(bench) {
      const account = await bench.connector.probe(bench.context);
      assert.ok(account.account.length > 0);
      assert.ok(account.regions.length > 0);
      const where = await bench.connector.account?.(bench.context);
      assert.notEqual(where, '');
      assert.equal(await bench.connector.account?.(bench.context), where, 'one credential leads to one account');
      for (const { why, connector, code } of bench.subject.broken ?? []) {
        const failure = await bench.failure(connector.probe(bench.context));
        assert.equal(failure.code, code, why);
        assert.ok(failure.message.length > 10, `${why}: says what is wrong`);
        await connector.close?.();
      }
    },
  },
  {
    id: 'capabilities',
    title: 'what is announced is there, and what is not announced is not',
    async run({ connector }) {
      const { capabilities } = connector;
      assert.equal(connector.info.api, 1);
      assert.match(connector.info.name, /^[a-z][a-z0-9-]*$/);
      assert.ok(capabilities.maxBatch >= 1);
      assert.ok(capabilities.listConsistencyMs >= 0);
      assert.equal(connector.consoleLog !== undefined, capabilities.console !== 'none');
      // Without a disk of its own, an image can be less than a snapshot.
      assert.ok(!capabilities.snapshot || connector.createImage !== undefined);
    },
  },
  {
    id: 'unknown-image',
    title: 'an image that does not exist is refused for good, and leaves nothing',
    skipped: ({ unknownImage }) => (unknownImage === undefined ? 'the cloud has no images' : undefined),
    async run(bench) {
      const image = bench.subject.unknownImage ?? '';
      const failure = await bench.failure(bench.launch(bench.request({ image, userData: `#!/bin/sh\n# ${secret}\n` })));
      assert.ok(['notFound', 'invalid'].includes(failure.code), `its code is ${failure.code}`);
      assert.ok(failure.message.includes(image), 'the message names the image');
      assert.ok(!`${failure.message} ${failure.details.hint}`.includes(secret), 'user data is in no message');
      assert.deepEqual(await bench.machines(), []);
    },
  },
  {
    id: 'image-names',
    title: 'what an image name means is said in the same words as long as it means that, and what means nothing is not found',
    skipped: ({ createConnector }) => (createConnector().resolveImage === undefined ? 'it does not say what images are' : undefined),
    async run(bench) {
      const { image, unknownImage } = bench.subject;
      const resolve = async (name: string) => bench.connector.resolveImage?.(name, bench.context);
      const means = await resolve(image);
      assert.equal(typeof means, 'string');
      assert.equal(await resolve(image), means);
      if (unknownImage === undefined) return;
      const missing = await bench.failure(resolve(unknownImage));
      assert.equal(missing.code, 'notFound');
      assert.ok(missing.message.includes(unknownImage), 'the message names the image');
    },
  },
  {
    id: 'aborted-before',
    title: 'calls that nobody waits for any more fail at once',
    async run(bench) {
      const aborted = bench.contextWith(AbortSignal.abort());
      const request = bench.request();
      const { connector } = bench;
      const calls = [
        () => connector.launch(request, aborted),
        () => connector.describe(['x'], aborted),
        () => connector.terminate(['x'], aborted),
        () => connector.list({ engine: bench.engine }, aborted)[Symbol.asyncIterator]().next(),
      ];
      for (const call of calls) assert.equal((await bench.failure(call())).code, 'timeout');
      assert.deepEqual(await bench.machines({ token: request.token }), []);
    },
  },
  {
    id: 'aborted-midway',
    title: 'a launch that is given up midway leaves machines that are found, finished and ended',
    patience: 8,
    async run(bench) {
      for (const delay of [1, 10, 50, 200]) {
        const request = bench.request({ count: batchOf(bench) });
        const aborter = new AbortController();
        const launch = bench.connector.launch(request, bench.contextWith(aborter.signal)).catch(() => undefined);
        await Promise.race([launch, pause(delay)]);
        aborter.abort();
        await launch;
        // What is on its way to a cloud that knows no token again has to come out before it can be found, for which the engine waits, too.
        const { idempotency, listConsistencyMs } = bench.connector.capabilities;
        if (idempotency === 'tag') await pause(listConsistencyMs);
        const finished = await bench.launchAll(request);
        const ids = finished.map(({ id }) => id).toSorted();
        assert.deepEqual(await bench.machines({ token: request.token }, ids.length), ids);
        await bench.end(ids);
        await bench.until('nothing is listed', async () => (await bench.list({ token: request.token })).length === 0);
      }
    },
  },
];
