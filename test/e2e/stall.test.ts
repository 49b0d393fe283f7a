import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Person } from '../support/command.ts';
import { until } from '../support/until.ts';

let person: Person;
beforeEach(async () => {
  person = await Person.arrive();
});
afterEach(() => person.leave());

/** Two machines that each wait for what the other one sets only afterwards. */
async function crossed(onStall: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-crossed-'));
  const image = (name: string, other: string): string =>
    `apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: ${name} }\nspec:\n` +
    `  parameters: { ready: { output: true }, ${other}.ready: {} }\n` +
    `  scripts:\n    deploy: |\n      #!/bin/sh\n      set -e\n      ss-get --timeout 0 ${other}.ready\n      ss-set ready true\n`;
  for (const [name, other] of [
    ['left', 'right'],
    ['right', 'left'],
  ] as const) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'image.yaml'), image(name, other));
  }
  const nodes = `left: { image: ./left, parameters: { right.ready: { from: "right:ready" } } }, right: { image: ./right, parameters: { left.ready: { from: "left:ready" } } }`;
  await writeFile(
    join(folder, 'deployment.yaml'),
    `apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: crossed }\nspec:\n  onStall: ${onStall}\n  nodes: { ${nodes} }\n`,
  );
  return folder;
}

describe('a run in which everybody waits', () => {
  it('ends within seconds, not after its timeout, and says who waits for whom', async () => {
    const begun = performance.now();
    const up = await person.type(['up', await crossed('abort')]);
    expect(up.code).not.toBe(0);
    const text = up.stdout + up.stderr;
    expect(text).toContain('The run cannot go on: every machine that still has work waits for a value that nobody will set');
    expect(text).toContain('left.1 waits for left.1:right.ready, which right.1 has to set while it waits itself');
    expect(performance.now() - begun).toBeLessThan(60_000);
  });

  it('shows the wait graph while an outsider may still help, and goes on when he does', async () => {
    const up = person.type(['up', await crossed('wait')]);
    await until(async () => {
      const { stdout } = await person.type(['status']);
      expect(stdout).toContain('left.1 for left.1:right.ready, from right.1');
      expect(stdout).toContain('right.1 for right.1:left.ready, from left.1');
    }, 30_000);
    expect((await person.type(['set', 'left.1:ready', 'true'])).code).toBe(0);
    expect((await up).code).toBe(0);
    await person.type(['down']);
  });
});
