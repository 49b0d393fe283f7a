import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientServerPlan, nodeOf, parameterOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { locate } from './location.ts';
import { listParameters } from './list.ts';
import { readParameter } from './read.ts';
import { writeParameter, type Writer } from './write.ts';

function set(test: TestRun, key: string, value: string, writer: Writer = 'user', secret = false): void {
  test.apply(writeParameter(test.run, key, value, secret, writer, test.now));
}

const get = (test: TestRun, key: string): string | undefined => readParameter(test.run, key).value;

describe('keys', () => {
  it.each([
    ['ss:state', 'ss:state'],
    ['apache.1:port', 'apache.1:port'],
    ['testclient:webserver.ready', 'testclient.1:webserver.ready'],
    ['testclient.2:id', 'testclient.2:id'],
    ['testclient:ids', 'testclient:ids'],
    ['testclient:multiplicity', 'testclient:multiplicity'],
  ])('%s means %s', (written, key) => {
    expect(locate(new TestRun(clientServerPlan(2)).run, written)?.key).toBe(key);
  });

  it.each(['nobody:port', 'testclient.3:id', 'apache.1:', ':x', '', 'a b:c', 'apache.01:port'])('%j means nothing', (written) => {
    expect(locate(new TestRun(clientServerPlan(2)).run, written)).toBeUndefined();
  });

  it('never fails on any text', () => {
    const { run } = new TestRun(clientServerPlan());
    fc.assert(fc.property(fc.string(), (written) => void locate(run, written)));
  });
});

describe('reading', () => {
  it('knows the system parameters of SlipStream', () => {
    const test = new TestRun(clientServerPlan(2));
    test.provision();
    const values = Object.fromEntries(
      [
        'ss:category',
        'ss:state',
        'ss:abort',
        'ss:groups',
        'testclient:ids',
        'testclient:multiplicity',
        'testclient.2:id',
        'testclient.2:nodename',
        'apache.1:hostname',
        'apache.1:instanceid',
        'apache.1:url.ssh',
        'apache.1:complete',
        'apache.1:vmstate',
        'apache.1:is.orchestrator',
        'apache.1:cloudservice',
      ].map((key) => [key, get(test, key)]),
    );
    expect(values).toMatchInlineSnapshot(`
      {
        "apache.1:cloudservice": "test",
        "apache.1:complete": "false",
        "apache.1:hostname": "10.0.0.1",
        "apache.1:instanceid": "m-apache.1",
        "apache.1:is.orchestrator": "false",
        "apache.1:url.ssh": "ssh://root@10.0.0.1",
        "apache.1:vmstate": "running",
        "ss:abort": "",
        "ss:category": "Deployment",
        "ss:groups": "test:apache,test:testclient",
        "ss:state": "Executing",
        "testclient.2:id": "2",
        "testclient.2:nodename": "testclient",
        "testclient:ids": "1,2",
        "testclient:multiplicity": "2",
      }
    `);
  });

  it('follows mappings at once and on every later set', () => {
    const test = new TestRun(clientServerPlan(2));
    expect(get(test, 'testclient.2:webserver.port')).toBe('8080');
    expect(get(test, 'testclient.2:webserver.ready')).toBeUndefined();
    set(test, 'apache.1:ready', 'true');
    expect(get(test, 'testclient.1:webserver.ready')).toBe('true');
    set(test, 'testclient.1:webserver.ready', 'mine');
    expect([get(test, 'testclient.1:webserver.ready'), get(test, 'testclient.2:webserver.ready')]).toEqual(['mine', 'true']);
    set(test, 'apache.1:ready', 'again');
    expect([get(test, 'testclient.1:webserver.ready'), get(test, 'testclient.2:webserver.ready')]).toEqual(['again', 'again']);
  });

  it('says that a parameter is unknown', () => {
    expect(() => get(new TestRun(clientServerPlan()), 'apache.1:redy')).toThrow('Unknown key apache.1:redy');
  });
});

describe('writing', () => {
  it('takes empty text as taking the value away', () => {
    const test = new TestRun(clientServerPlan());
    set(test, 'apache.1:ready', 'true');
    set(test, 'apache.1:ready', '');
    expect(get(test, 'apache.1:ready')).toBeUndefined();
  });

  it('raises and takes down the abort flag', () => {
    const test = new TestRun(clientServerPlan());
    set(test, 'apache.1:abort', 'no luck', { instance: test.instance('apache.1') });
    expect([get(test, 'ss:abort'), get(test, 'apache.1:abort')]).toEqual(['no luck', 'no luck']);
    set(test, 'apache.1:abort', '');
    expect([get(test, 'ss:abort'), get(test, 'apache.1:abort')]).toEqual(['', '']);
  });

  it('shows a custom message', () => {
    const test = new TestRun(clientServerPlan());
    set(test, 'apache.1:statecustom', 'installing', { instance: test.instance('apache.1') });
    expect(get(test, 'apache.1:statecustom')).toBe('installing');
    expect(test.events.at(-1)?.message).toBe('apache.1: installing');
    const long = 'x'.repeat(1024 * 1024);
    set(test, 'apache.1:statecustom', long, { instance: test.instance('apache.1') });
    expect(get(test, 'apache.1:statecustom')).toBe(`${'x'.repeat(8192)}…`);
    expect(test.events.at(-1)).toMatchObject({ message: `apache.1: ${'x'.repeat(1000)}…`, data: { text: `${'x'.repeat(1000)}…` } });
  });

  it.each([
    ['testclient.1:webserver.ready', 'another instance’s parameter'],
    ['testclient.1:abort', 'another instance’s abort flag'],
    ['apache.1:id', 'a derived one'],
    ['apache:ids', 'a node’s'],
    ['ss:state', 'the state'],
    ['ss:clients', 'a global input'],
  ])('refuses an instance %s (%s)', (key) => {
    const test = new TestRun({
      ...clientServerPlan(),
      globals: { clients: parameterOf({ value: '1' }), result: parameterOf({ output: true }) },
    });
    expect(() => set(test, key, 'x', { instance: test.instance('apache.1') })).toThrow(/cannot be set/);
  });

  it('lets an instance set the outputs of the deployment and the service URL', () => {
    const test = new TestRun({ ...clientServerPlan(), globals: { result: parameterOf({ output: true }) } });
    set(test, 'ss:result', 'good', { instance: test.instance('apache.1') });
    set(test, 'ss:url.service', 'http://x', { instance: test.instance('apache.1') });
    expect([get(test, 'ss:result'), get(test, 'ss:url.service')]).toEqual(['good', 'http://x']);
  });

  it('refuses what is larger than 1 MiB', () => {
    const test = new TestRun(clientServerPlan());
    set(test, 'apache.1:ready', 'x'.repeat(1024 * 1024));
    expect(() => set(test, 'apache.1:ready', 'x'.repeat(1024 * 1024 + 1))).toThrow(/exceeds the maximum length/);
  });

  it('keeps secrets out of events and lists', () => {
    const test = new TestRun(
      planOf({ n: nodeOf({ parameters: { password: parameterOf({ type: 'password', secret: true }), other: parameterOf() } }) }),
    );
    set(test, 'n.1:password', 'hunter2');
    set(test, 'n.1:other', 'hunter2', 'user', true);
    expect(JSON.stringify(test.events)).not.toContain('hunter2');
    expect(JSON.stringify(listParameters(test.run))).not.toContain('hunter2');
    expect(get(test, 'n.1:password')).toBe('hunter2');
  });
});
