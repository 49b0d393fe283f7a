import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

/** Builds what the tests run as their users do: the agent and the command. */
export default function build(): void {
  const repository = resolve(import.meta.dirname, '../..');
  execFileSync(process.execPath, [join(repository, 'packages/cli/build.mjs')], { cwd: repository, stdio: 'inherit' });
}
