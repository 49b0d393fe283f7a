import { expect, onTestFinished, test, vi } from 'vitest';
import { GitHub } from './support/github.ts';

test('only what GitHub would know is over when GitHub does not know it', async () => {
  const github = await GitHub.open();
  onTestFinished(() => github.close());
  vi.stubEnv('GITHUB_API_URL', github.url);
  onTestFinished(() => void vi.unstubAllEnvs());
  // The client reads its address when it is loaded.
  const { isOver } = await import('../../actions/src/github/workflow-run.ts');
  const over = (run: number): Promise<boolean> => isOver(github.token, 'octo/app', run, 1);
  github.workflowRuns.set(1, 'in_progress').set(2, 'completed');
  expect([await over(1), await over(2), await over(3)]).toEqual([false, true, true]);
  github.showsWorkflows = false;
  await expect(over(1)).rejects.toMatchObject({ code: 'PACELINE_FORBIDDEN' });
});
