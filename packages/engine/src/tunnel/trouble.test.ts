import { describe, expect, it } from 'vitest';
import { nodeOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { openSession } from '../ssh/session.ts';
import { keyPairOf } from '../ssh/key-pair.ts';
import { freePort, openSshServer, whyNoSshServer } from '../testing/ssh-server.ts';
import { troubleChanges, troubleOf } from './trouble.ts';

const { signal } = new AbortController();
const refused = 'cannot be reached by SSH: connect ECONNREFUSED';

function booted(): TestRun {
  const test = new TestRun(planOf({ n: nodeOf() }));
  test.boot('n.1');
  return test;
}

const notices = ({ events }: TestRun): string[] => events.filter(({ type }) => type === 'instance.notice').map(({ message }) => message);

describe('a machine that cannot be reached by SSH', () => {
  it('says why where people look, once, until it is reached', () => {
    const test = booted();
    for (const why of [refused, refused, `${refused} again`]) test.apply(troubleChanges(test.run, 'n.1', why, test.now));
    expect(test.instance('n.1').machine.fault).toBe(`${refused} again`);
    expect(notices(test)).toEqual([`n.1 ${refused}`]);
    for (let times = 0; times < 2; times++) test.apply(troubleChanges(test.run, 'n.1', undefined, test.now));
    expect(test.instance('n.1').machine.fault).toBeNull();
    expect(notices(test)).toEqual([`n.1 ${refused}`, 'n.1 is reached by SSH']);
  });

  it('is given up with the reason', () => {
    const test = booted();
    test.apply(troubleChanges(test.run, 'n.1', refused, test.now));
    test.pass(10 * 60_000);
    expect(test.run.facts.abort?.reason).toBe(`n.1 did not call home within 10 min of its launch: ${refused}`);
  });

  it('has one line to say why it ends a session, and not what it likes of the log', () => {
    expect(troubleOf(new Error(`bye\r\n\u001b[2Jroot: all is well ${'x'.repeat(9000)}`)).text).toBe(
      `cannot be reached by SSH: bye [2Jroot: all is well ${'x'.repeat(275)}`,
    );
  });

  it('keeps what its cloud says of it', () => {
    const test = booted();
    test.instance('n.1').machine.fault = 'on fire';
    for (const why of [refused, undefined]) expect(troubleChanges(test.run, 'n.1', why, test.now)).toEqual([]);
    expect(troubleChanges(test.run, 'another.1', refused, test.now)).toEqual([]);
  });
});

describe.skipIf(whyNoSshServer !== undefined)(`what OpenSSH says${whyNoSshServer === undefined ? '' : ` (${whyNoSshServer})`}`, () => {
  it('is told with what to do', async () => {
    await using server = await openSshServer();
    const { access, folder } = server;
    const of = (promise: Promise<unknown>) => promise.then(() => ({ text: 'it works', isDecisive: false }), troubleOf);
    const other = keyPairOf(Buffer.alloc(32));
    const session = await openSession(access, signal);
    expect(await of(openSession({ ...access, port: await freePort() }, signal))).toMatchObject({
      text: expect.stringMatching(/^cannot be reached by SSH: connect ECONNREFUSED 127\.0\.0\.1:\d+\. Nothing listens there: /),
      isDecisive: false,
    });
    expect(await of(openSession({ ...access, hostKeys: [other.publicKey] }, signal))).toMatchObject({
      text: expect.stringMatching(/fingerprint SHA256:.* Either it has not run its user data/),
      isDecisive: false,
    });
    expect(await of(openSession({ ...access, credential: { privateKey: other.privateKey } }, signal))).toMatchObject({
      text: expect.stringContaining('refuses the account of the engine'),
      isDecisive: true,
    });
    expect(await of(session.forward(`${folder}/none/engine`, () => {}, signal))).toMatchObject({
      text: expect.stringContaining('AllowStreamLocalForwarding'),
      isDecisive: true,
    });
    session.end();
  });
});
