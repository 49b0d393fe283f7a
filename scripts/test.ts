// `npm test`: build, check, then every test. A failed check does not keep the tests from running; the result counts all of them.
import { spawnSync } from 'node:child_process';

const failed = ['build', 'format:check', 'lint', 'typecheck', 'knip'].filter((stage) => {
  console.log(`\n=== ${stage}`);
  const { status } = spawnSync('npm', ['run', '--silent', stage], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) console.log(`=== ${stage} failed`);
  return status !== 0;
});

console.log('\n=== tests');
const { status } = spawnSync('vitest', ['run', ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, PACELINE_FAILED_STAGES: failed.join(', ') },
});
process.exitCode = status !== 0 || failed.length > 0 ? 1 : 0;
