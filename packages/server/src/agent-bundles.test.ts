import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AgentBundles } from './agent-bundles.ts';

it('a server has the agents of those before and beside it, too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-agents-'));
  const put = async (text: string): Promise<string> => {
    const path = join(folder, `${text}.cjs`);
    await writeFile(path, text);
    return path;
  };
  const old = await AgentBundles.open(join(folder, 'agents'), await put('old'));
  const next = await AgentBundles.open(join(folder, 'agents'), await put('new'));
  expect(old.current).not.toBe(next.current);
  for (const server of [old, next]) {
    for (const digest of [old.current, next.current]) expect(await server.find(digest)).toMatch(`${digest}.cjs`);
    expect(await server.find('a'.repeat(64))).toBeUndefined();
  }
});
