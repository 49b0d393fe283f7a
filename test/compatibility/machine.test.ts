import { loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { System } from '../support/system.ts';
import { expectTranscript, nodeOf, type Line } from './transcript.ts';

const lines: Line[] = [
  { run: 'ss-get ss:category', out: 'Image\n' },
  { run: 'ss-get plain', out: 'hello\n' },
  { run: 'ss-get machine:plain', out: 'hello\n' },
  { run: 'ss-set done true; ss-get machine:done', out: 'true\n' },
  { run: 'ss-get hostname', out: /^127\.[\d.]+\n$/ },
  { run: 'ss-display "alone"; ss-get statecustom', out: 'alone\n' },
  // The idiom of recipes that run both ways.
  { run: 'if [ "$(ss-get ss:category)" = Deployment ]; then ss-get ids; else echo single; fi', out: 'single\n' },
  { run: 'echo "$SLIPSTREAM_NODE_INSTANCE_NAME"', out: 'machine\n' },
];

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

async function single(lines: Line[]): Promise<ResolvedDeployment> {
  const { scripts } = nodeOf(lines);
  const spec = { parameters: { plain: 'hello', done: { output: true } }, scripts };
  const file = JSON.stringify({ apiVersion: 'paceline.dev/v1', kind: 'Image', metadata: { name: 'tool' }, spec });
  return (await loadModule('/p/image.yaml', { fs: memoryFiles({ '/p/image.yaml': file }) })).deployment;
}

describe('a run of a single image', () => {
  it('has one machine called `machine`, whose unqualified keys are its own', async () => {
    const run = await system.up(await single(lines));
    await run.reaches('Ready');
    await expectTranscript(run, 'machine', lines);
    const [report] = await run.reports();
    expect(report?.name).toMatch(/^machine_report_\d{4}-\d\d-\d\dT\d{6}Z\.tgz$/);
    expect(await run.get('machine:done')).toBe('true');
    expect(await run.get('ss:category')).toBe('Image');
  });

  it.each(['nodename', 'id', 'ids', 'multiplicity'])('has no %s, which ends the run as any unknown key does', async (name) => {
    const run = await system.up(await single([{ run: `ss-get ${name}` }]));
    const detail = await run.reaches('Aborted');
    expect(detail.abort?.reason).toBe(`Unknown key machine:${name}`);
  });
});
