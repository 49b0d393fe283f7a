import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

/** Builds what the tests run as their users do: the agent, the command and the actions. */
export default function build(): void {
  const repository = resolve(import.meta.dirname, '../..');
  const run = (...args: string[]): void => void execFileSync(process.execPath, args, { cwd: repository, stdio: 'inherit' });
  run(join(repository, 'packages/cli/build.mjs'));
  run(join(repository, 'actions/build.mjs'), join(repository, 'actions'), join(repository, 'packages/cli/dist'));
}
