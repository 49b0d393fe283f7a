import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import type { FakeEngine } from './fake-engine.ts';

type Finding = FakeEngine['findings'][number];

/** From the one that lets a run end at once to the one that lets it go on. */
const order: Finding[] = ['alone', 'accompanied', 'busy'];

/** `KEY` is one that is never set, another one for each script. */
const scripts: Record<Finding, string[]> = {
  alone: [
    'ss-get --timeout 0 KEY',
    'ss-get --timeout 3600 KEY',
    'ss-get --timeout 2 early || true; ss-get --timeout 0 KEY',
    `sh -c "bash -c 'ss-get --timeout 0 KEY'; true"; true`,
    '#!/bin/bash -e\nvalue=$(ss-get --timeout 0 KEY)\n',
    'ss-get --timeout 0 another & ss-get --timeout 0 KEY & wait',
    '(ss-get --timeout 0 another; echo on) & ss-get --timeout 0 KEY',
    'ss-get-all --timeout 0 members KEY',
    'ss-wait --timeout 0 KEY',
    'ss-wait --timeout 0 KEY "" ',
    `python3 -c 'import subprocess; subprocess.run(["ss-get", "--timeout", "0", "KEY"])'`,
    `python3 -c 'import subprocess; subprocess.check_output(["ss-get", "--timeout", "0", "KEY"])'`,
    'export PATH=NO_CURL:$PATH; ss-get --timeout 0 KEY',
  ],
  accompanied: [
    'sleep 1000 & ss-get --timeout 0 KEY',
    '(sleep 1000; ss-set x y) & ss-get --timeout 0 KEY',
    'nohup setsid sleep 1000 & ss-get --timeout 0 KEY',
    // Its parent has gone, too.
    '(setsid sleep 1000 &); ss-get --timeout 0 KEY',
    'ss-get --timeout 0 KEY & sleep 1000',
    'ss-get --timeout 0 KEY | cat',
    'timeout 900 ss-get --timeout 0 KEY',
    `python3 -c 'import subprocess; subprocess.run(["ss-get", "--timeout", "0", "KEY"], timeout=900)'`,
  ],
  busy: [
    'timeout 20 sh -c "while :; do :; done" & ss-get --timeout 0 KEY',
    '(while :; do :; done) & ss-get --timeout 0 KEY',
    '(setsid timeout 20 sh -c "while :; do :; done" &); ss-get --timeout 0 KEY',
    'ss-get KEY',
    'ss-get --timeout 500 KEY',
    'ss-get --timeout 20 optional & ss-get --timeout 0 KEY',
    'sleep 1000 & ss-get-all --timeout 20 members KEY',
    'ss-wait --timeout 20 KEY value',
  ],
};

/** Whether the agent sees what a script is doing. */
export function defineExaminationTests(started: () => Promise<AgentProcess>, engine: () => FakeEngine): void {
  async function examined(): Promise<Finding> {
    const { findings } = engine();
    const before = findings.length;
    const asked = performance.now();
    engine().examine();
    await engine().until('a finding', () => findings.length > before);
    expect(performance.now() - asked).toBeLessThan(2000);
    return findings.at(-1)!;
  }

  /** @returns what it finds until it finds that, the moment in which the script begins to wait included */
  async function findingsUntil(wanted: Finding): Promise<Finding[]> {
    const all: Finding[] = [];
    const end = performance.now() + 10_000;
    for (let found; found !== wanted && performance.now() < end;) all.push((found = await examined()));
    return all;
  }

  function noCurl(agent: AgentProcess): string {
    const folder = agent.mkdir('no-curl');
    writeFileSync(join(folder, 'curl'), '#!/bin/sh\nexit 2\n', { mode: 0o755 });
    return folder;
  }

  describe('what its script is doing', { timeout: 60_000 }, () => {
    test.each(order)('%s', async (finding) => {
      const agent = await started();
      engine().params.set('members:ids', { value: '1', secret: false });
      for (const [index, script] of scripts[finding].entries()) {
        const key = `never-${index}`;
        const text = script.replace('KEY', key).replace('NO_CURL', noCurl(agent));
        engine().assign([engine().script(`s${index}`, text)]);
        await engine().until(script, () => engine().waits.some((wait) => wait.endsWith(key)));
        const findings = await findingsUntil(finding);
        expect([script, findings.at(-1)]).toEqual([script, finding]);
        expect([script, findings.filter((one) => order.indexOf(one) < order.indexOf(finding))]).toEqual([script, []]);
      }
      engine().leave();
      expect(await agent.exit).toBe(0);
    });

    test('nothing when its work is done, and the same after a restart of the agent', async () => {
      const agent = await started();
      expect(await examined()).toBe('alone');
      engine().assign([{ kind: 'packages', id: 'p', module: 'm', packages: ['sh'] }]);
      await engine().until('completion', () => engine().story.includes('complete 1'));
      expect(await examined()).toBe('alone');
      engine().assign([engine().script('d', 'ss-get --timeout 0 never')]);
      await engine().until('a wait', () => engine().waits.includes('apache.1:never'));
      expect((await findingsUntil('alone')).at(-1)).toBe('alone');
      await agent.kill('SIGKILL');
      await engine().until('the cut', () => !engine().connected);
      agent.start();
      await engine().until('the link', () => engine().connected);
      await engine().until('the wait again', () => engine().waits.includes('apache.1:never'));
      expect((await findingsUntil('alone')).at(-1)).toBe('alone');
      engine().set('apache.1:never', 'now');
      await engine().until('completion', () => engine().story.includes('complete 2'));
      expect(await examined()).toBe('alone');
    });

    test('many who ask at once are all answered', async () => {
      await started();
      engine().assign([engine().script('d', 'ss-get --timeout 0 never')]);
      await engine().until('a wait', () => engine().waits.includes('apache.1:never'));
      await findingsUntil('alone');
      const { findings } = engine();
      findings.length = 0;
      for (let time = 0; time < 5; time++) engine().examine();
      await engine().until('all findings', () => findings.length === 5);
      expect(findings).not.toContain('accompanied');
    });
  });
}
