import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { repository } from '../../support/system.ts';
import { LastingCloud, type LastingKind } from './cloud.ts';
import { GitHub } from './github.ts';
import { Runner } from './runner.ts';

export interface Bench {
  github: GitHub;
  cloud: LastingCloud;
  runner: Runner;
}

/** A runner with the examples in its workspace, a GitHub to talk to and a cloud that outlives the job; all of it ends with the test. */
export async function bench(env: Record<string, string> = {}, kind: LastingKind = 'local'): Promise<Bench> {
  const github = await GitHub.open();
  const cloud = await LastingCloud.open(kind);
  const runner = await Runner.hire({ ...github.env(), ...env });
  onTestFinished(async () => {
    await runner.leave();
    await cloud.close();
    await github.close();
  });
  await cp(join(repository, 'examples'), join(runner.workspace, 'examples'), { recursive: true });
  return { github, cloud, runner };
}

/** Another runner for the same repository, as for the next workflow. */
export async function anotherRunner({ github }: Bench, env: Record<string, string> = {}): Promise<Runner> {
  const runner = await Runner.hire({ ...github.env(), ...env });
  onTestFinished(() => runner.leave());
  return runner;
}

/** Writes the files of a project into the workspace. Each is an image or a deployment of this name with this `spec`, or a text. */
export async function project({ workspace }: Runner, files: Record<string, string | { kind: string; spec: object }>): Promise<void> {
  for (const [path, content] of Object.entries({ 'project.yaml': { kind: 'Project', spec: {} }, ...files })) {
    await mkdir(dirname(join(workspace, path)), { recursive: true });
    const name = path.replace(/\.yaml$/, '').replaceAll('/', '-');
    const text = typeof content === 'string' ? content : JSON.stringify({ apiVersion: 'paceline.dev/v1', metadata: { name }, ...content });
    await writeFile(join(workspace, path), text);
  }
}

/** A deployment of one machine whose deploy script is this one. */
export function oneMachine(script: string, spec: object = {}, image: object = {}): Parameters<typeof project>[1] {
  return {
    'deployment.yaml': { kind: 'Deployment', spec: { nodes: { web: { image: './web.yaml' } }, timeout: '1m', lifetime: '10m', ...spec } },
    'web.yaml': { kind: 'Image', spec: { scripts: { deploy: 'deploy.sh' }, ...image } },
    'deploy.sh': script,
  };
}
