// `npm test`: build, check, then every test. A failed check does not keep the tests from running; the result counts all of them.
import { spawnSync } from 'node:child_process';
import { whyInstall } from './with-dependencies.mjs';

const failed = ['build', 'format:check', 'lint', 'typecheck', 'knip'].filter((stage) => {
  console.log(`\n=== ${stage}`);
  const { status } = spawnSync('npm', ['run', '--silent', stage], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) console.log(`=== ${stage} failed`);
  return status !== 0;
});

// Backstage is a gigabyte that most of the work here does without.
if (whyInstall('backstage-plugin') === undefined) {
  console.log('\n=== backstage');
  const { status } = spawnSync('npm', ['test', '--silent'], { cwd: 'backstage-plugin', stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) failed.push('backstage');
} else {
  console.log('\n=== backstage is left out, as it is not installed: npm ci --prefix backstage-plugin');
}

console.log('\n=== tests');
const { status } = spawnSync('vitest', ['run', ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, PACELINE_FAILED_STAGES: failed.join(', ') },
});
process.exitCode = status !== 0 || failed.length > 0 ? 1 : 0;
