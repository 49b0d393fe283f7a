import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentOf, type TestNode } from '../support/recipes.ts';
import { System, type SystemRun } from '../support/system.ts';
import { filesOf } from '../support/tar.ts';

/** A web server and its tester in the idiom of SlipStream's recipes: `set -e -x -o pipefail`, polling loops, `ss-get` as a semaphore. */
const tutorial: Record<string, TestNode> = {
  apache: {
    parameters: { port: { type: 'integer', default: 8088 }, ready: { type: 'boolean', output: true } },
    scripts: {
      preInstall: '#!/bin/bash -e\n# Before packages there is nothing but the shell.\nmkdir -p www',
      postInstall:
        '#!/bin/bash -e\necho "Welcome from the machine that SlipStream would have called $(ss-get nodename).$(ss-get id)" > www/data.txt',
      deploy: `#!/bin/bash
set -e -x -o pipefail
hostname=$(ss-get hostname)
port=$(ss-get port)
ss-display "Starting on port $port"
(cd www && exec nohup python3 -m http.server --bind $hostname $port > ../access.log 2>&1) &
timeout=20
until curl -sf -o /dev/null http://$hostname:$port/data.txt; do
  ((timeout-- > 0)) || ss-abort "The web server does not answer"
  sleep 0.2
done
ss-set ready true
url="http://$hostname:$port"
ss-set url.service $url
ss-set ss:url.service "[apache]$url"
ss-display "Serving"
`,
      report: '#!/bin/bash -e\ncp access.log $SLIPSTREAM_REPORT_DIR',
    },
  },
  testclient: {
    multiplicity: 2,
    parameters: { 'webserver.hostname': {}, 'webserver.port': {}, 'webserver.ready': {} },
    inputs: {
      'webserver.hostname': { from: 'apache:hostname' },
      'webserver.port': { from: 'apache:port' },
      'webserver.ready': { from: 'apache:ready' },
    },
    scripts: {
      deploy: `#!/bin/sh -xe
ss-get --timeout 360 webserver.ready
ENDPOINT=http://$(ss-get webserver.hostname):$(ss-get webserver.port)/data.txt
t=0
while [ $t -lt 10 ]; do
  curl -s -o data.txt $ENDPOINT && break
  t=$((t + 1)); sleep 0.2
done
[ -s data.txt ] || ss-abort -- "Could not get the page: $ENDPOINT"
ss-set statecustom "OK: $(cat data.txt)"
`,
      report: '#!/bin/sh -x\ncp data.txt $SLIPSTREAM_REPORT_DIR',
    },
  },
};

let system: System;
let run: SystemRun;
beforeAll(async () => {
  system = await System.start();
  run = await system.up(await deploymentOf(tutorial));
});
afterAll(() => system.close());

const names = ['apache.1', 'testclient.1', 'testclient.2'];

describe('the golden trace of SlipStream’s tutorial', () => {
  it('begins with what is known before any machine is there', async () => {
    expect(await run.get('ss:category')).toBe('Deployment');
    expect(await run.get('ss:groups')).toBe('local:apache,local:testclient');
    expect(await run.get('apache:ids')).toBe('1');
    expect(await run.get('testclient:ids')).toBe('1,2');
    expect(await run.get('testclient:multiplicity')).toBe('2');
    expect(await run.get('apache.1:port')).toBe('8088');
    for (const id of [1, 2]) expect(await run.get(`testclient.${id}:webserver.port`)).toBe('8088');
  });

  it('goes through the states in their order, with a barrier after each', async () => {
    const detail = await run.reaches('Ready');
    expect(detail.abort).toBeNull();
    const events = await run.events();
    const states = events.flatMap(({ type, data, seq }) => (type === 'run.state' ? [{ state: String(data['state']), seq }] : []));
    expect(states.map(({ state }) => state)).toEqual(['Provisioning', 'Executing', 'SendingReports', 'Ready']);
    const seqOf = (state: string): number => states.find((one) => one.state === state)?.seq ?? 0;
    const from = (type: string, instance: string): number[] =>
      events.flatMap((event) => (event.type === type && event.data['instance'] === instance ? [event.seq] : []));
    const between = (seq: number, after: string, before: string): boolean => seq > seqOf(after) && seq < seqOf(before);
    for (const name of names) {
      expect(from('instance.joined', name).filter((seq) => between(seq, 'Provisioning', 'Executing'))).toHaveLength(1);
      expect(from('instance.completed', name).filter((seq) => between(seq, 'Executing', 'SendingReports'))).toHaveLength(1);
      expect(from('report.received', name).filter((seq) => between(seq, 'SendingReports', 'Ready'))).toHaveLength(1);
    }
  });

  it('publishes every address before the first script starts', async () => {
    const events = await run.events();
    const firstStep = events.find(({ type }) => type === 'instance.step')?.seq ?? 0;
    const addressed = events.filter(({ type, data }) => type === 'instance.machine' && data['address'] !== undefined);
    expect(addressed.map(({ data }) => String(data['instance'])).toSorted()).toEqual(names);
    expect(Math.max(...addressed.map(({ seq }) => seq))).toBeLessThan(firstStep);
    for (const name of names) {
      expect(await run.get(`${name}:url.ssh`)).toMatch(/^ssh:\/\//);
      expect(await run.get(`${name}:instanceid`)).toMatch(/\S/);
    }
  });

  it('runs the recipes of each machine in their order, once', async () => {
    const events = await run.events();
    const stepsOf = (name: string): string[] =>
      events.flatMap(({ type, data }) =>
        type === 'instance.step' && data['instance'] === name && data['status'] === 'started' ? [String(data['step'])] : [],
      );
    expect(stepsOf('apache.1')).toEqual(['preInstall-0', 'postInstall-0', 'deploy-0', 'report-0', 'report-upload']);
    expect(stepsOf('testclient.2')).toEqual(['deploy-0', 'report-0', 'report-upload']);
  });

  it('carries the values of the server to all clients, as they are set', async () => {
    const hostname = await run.get('apache.1:hostname');
    for (const id of [1, 2]) {
      expect(await run.get(`testclient.${id}:webserver.hostname`)).toBe(hostname);
      expect(await run.get(`testclient.${id}:webserver.ready`)).toBe('true');
      expect(await run.output(`testclient.${id}`)).toBe('true\n');
      expect(await run.output(`testclient.${id}`, 'stderr')).toContain('+ ss-get --timeout 360 webserver.ready\n');
    }
    const set = (await run.events()).filter(({ type }) => type === 'parameter.set').map(({ message }) => message);
    expect(set.filter((message) => /ready|service/.test(message))).toEqual([
      'apache.1:ready = true',
      `apache.1:url.service = http://${hostname}:8088`,
      `ss:url.service = [apache]http://${hostname}:8088`,
    ]);
  });

  it('shows what people are to see', async () => {
    const { instances, serviceUrl } = await run.detail();
    expect(serviceUrl).toBe(`[apache]http://${await run.get('apache.1:hostname')}:8088`);
    const welcome = 'Welcome from the machine that SlipStream would have called apache.1';
    expect(instances.map(({ message }) => message)).toEqual(['Serving', `OK: ${welcome}`, `OK: ${welcome}`]);
    expect(await run.get('testclient.1:statecustom')).toBe(`OK: ${welcome}`);
    expect(await run.get('apache.1:scale.state')).toBe('operational');
    expect(await run.get('apache.1:complete')).toMatch(/^(true|false)$/);
  });

  it('brings the reports home under SlipStream’s names', async () => {
    const reports = await run.reports();
    expect(reports.map(({ instance }) => instance).toSorted()).toEqual(names);
    for (const { name, instance } of reports)
      expect(name).toMatch(new RegExp(`^${instance.replace('.', '\\.')}_report_\\d{4}-\\d\\d-\\d\\dT\\d{6}Z\\.tgz$`));
    const apache = await filesOf(await run.report(reports.find(({ instance }) => instance === 'apache.1')?.name ?? ''));
    expect(apache['var_log_slipstream_client/access.log']?.match(/GET \/data\.txt/g)?.length).toBeGreaterThanOrEqual(3);
  });

  it('keeps the machines of a run that succeeded until somebody ends it', async () => {
    expect((await run.detail()).state).toBe('Ready');
    await run.down();
    const detail = await run.reaches('Done');
    expect(detail.instances.map(({ stage }) => stage)).toEqual(['gone', 'gone', 'gone']);
    const states = (await run.events()).flatMap(({ type, data }) => (type === 'run.state' ? [data['state']] : []));
    expect(states.slice(-2)).toEqual(['Finalizing', 'Done']);
    expect(await run.get('testclient.1:webserver.ready')).toBe('true');
  });

  it('of a run that is never kept ends by itself', async () => {
    const once = await system.up(await deploymentOf({ apache: { scripts: { deploy: 'ss-display done' } } }, { keepRunning: 'never' }));
    await once.reaches('Done');
    const states = (await once.events()).flatMap(({ type, data }) => (type === 'run.state' ? [data['state']] : []));
    expect(states).toEqual(['Provisioning', 'Executing', 'SendingReports', 'Ready', 'Finalizing', 'Done']);
  });

  it('of a run that fails goes by SendingReports to Aborted, with the culprit’s last word', async () => {
    const apache = { ...tutorial['apache'], scripts: { deploy: '#!/bin/bash -e\necho "E: no such site" >&2\necho\nexit 100' } };
    const failed = await system.up(await deploymentOf({ ...tutorial, apache }));
    const detail = await failed.reaches('Aborted');
    expect(detail.abort).toMatchObject({
      source: 'apache.1:abort',
      reason: "Failed running 'apache:Deployment' script on 'apache.1': E: no such site",
    });
    const states = (await failed.events()).flatMap(({ type, data }) => (type === 'run.state' ? [data['state']] : []));
    expect(states).toEqual(['Provisioning', 'Executing', 'SendingReports', 'Ready', 'Finalizing', 'Aborted']);
    expect(await failed.get('ss:abort')).toBe(detail.abort?.reason);
    expect(await failed.get('apache.1:abort')).toBe(detail.abort?.reason);
    expect(await failed.get('testclient.1:abort')).toBe('');
    expect((await failed.reports()).map(({ instance }) => instance).toSorted()).toEqual(names);
  });
});
