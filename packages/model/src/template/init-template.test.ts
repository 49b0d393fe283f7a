import { expect, test } from 'vitest';
import { memoryFiles } from '../load/file-source.ts';
import { checkModule, loadModule } from '../load/load-module.ts';
import { planRun } from '../plan/plan-run.ts';
import { checkWiring } from '../wiring/check-wiring.ts';
import { initTemplate } from './init-template.ts';

const fs = memoryFiles(Object.fromEntries(initTemplate('my-project').map(({ path, text }) => [`/new/${path}`, text])));

test('the new project is valid, can be planned, and is wired well', async () => {
  for (const path of ['project.yaml', 'deployment.yaml', 'images/hello', 'images/debian-12']) {
    expect((await checkModule(`/new/${path}`, { fs })).diagnostics, path).toEqual([]);
  }
  const { deployment } = await loadModule('/new', { fs });
  const plan = planRun(deployment, { parameters: { machines: '3' } });
  expect(plan.nodes['hello']).toMatchObject({ multiplicity: 3, image: { module: 'images/hello' } });
  expect(checkWiring(deployment, plan)).toEqual({ problems: [], notChecked: [], edges: [] });
});

test('scripts can be executed', () => {
  for (const { path, text, mode } of initTemplate()) {
    expect(mode, path).toBe(path.endsWith('.sh') ? 0o755 : 0o644);
    expect(text.endsWith('\n')).toBe(true);
  }
});
