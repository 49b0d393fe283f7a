import { chmod, cp, writeFile } from 'node:fs/promises';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../support/system.ts';
import { project, type Bench } from './bench.ts';
import type { OtherAction } from './workflow.ts';

export interface ExampleWorkflow {
  /** The page that shows it. */
  page: string;
  name: string;
  text: string;
}

/** All workflows that our pages show. */
export function exampleWorkflows(): ExampleWorkflow[] {
  return ['docs/github-actions.md', ...globSync('actions/*/README.md', { cwd: repository }).toSorted()].flatMap((page) =>
    [...readFileSync(join(repository, page), 'utf8').matchAll(/^```yaml\n(name: (.*)\n[\s\S]*?)^```/gm)].map(
      ([, text = '', name = '']): ExampleWorkflow => ({ page, name, text }),
    ),
  );
}

const credentials = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

/** What the actions of others that the examples use leave in the environment; the one for credentials takes them away at the end. */
export const otherActions: Readonly<Record<string, OtherAction>> = {
  'actions/checkout': {},
  'aws-actions/configure-aws-credentials': {
    env: Object.fromEntries(credentials.map((name) => [name, 'of-the-job'])),
    postEnv: Object.fromEntries(credentials.map((name) => [name, ''])),
  },
};

/** Puts the project that the examples speak of into the workspace: their files, and clouds of their names. */
export async function exampleProject({ runner, cloud }: Bench): Promise<void> {
  const nodes = {
    web: { image: './pair/web' },
    client: {
      image: './pair/client',
      multiplicity: '${{ parameters.clients }}',
      parameters: Object.fromEntries(['hostname', 'port', 'ready'].map((name) => [`webserver.${name}`, { from: `web:${name}` }])),
    },
    teller: { image: './teller.yaml', parameters: { address: { from: 'web:hostname' } } },
  };
  const parameters = { clients: { type: 'integer', default: 1 }, site: { output: true } };
  const limits = { timeout: '5m', lifetime: '30m' };
  for (const name of ['web', 'client'])
    await cp(join(repository, 'examples/client-server', name), join(runner.workspace, 'pair', name), { recursive: true });
  await cp(join(repository, 'examples/debian'), join(runner.workspace, 'debian'), { recursive: true });
  await project(runner, {
    'deployment.yaml': { kind: 'Deployment', spec: { parameters, nodes, ...limits } },
    'first.yaml': { kind: 'Deployment', spec: { nodes: { web: { image: './pair/web' } }, ...limits } },
    'second.yaml': { kind: 'Deployment', spec: { nodes: { quiet: { image: './quiet.yaml' } }, ...limits } },
    'teller.yaml': { kind: 'Image', spec: { parameters: { address: { required: true } }, scripts: { deploy: 'tell.sh' } } },
    'quiet.yaml': { kind: 'Image', spec: {} },
    'tell.sh': '#!/bin/sh\nss-set ss:site "$(ss-get address)"\n',
    'images/web/image.yaml': { kind: 'Image', spec: { scripts: { postInstall: 'install.sh' } } },
    'images/web/install.sh': '#!/bin/sh\necho made >made\n',
    'test.sh': '#!/bin/sh\n[ -n "$1" ] && [ "$1" = "$2" ]\n',
    'check.sh': '#!/bin/sh\necho "$1" | grep -q \'"web.1:ready":"true"\'\n',
  });
  for (const name of ['test.sh', 'check.sh']) await chmod(join(runner.workspace, name), 0o755);
  await writeFile(join(runner.workspace, 'clouds.yaml'), readFileSync(cloud.file, 'utf8').replace('"here"', '"aws-paris"'));
}
