import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPacelineError } from '../errors/paceline-error.ts';
import { planRun } from '../plan/plan-run.ts';
import { resolvedDeployment } from '../resolved/deployment.ts';
import { runPlan } from '../resolved/run-plan.ts';
import { initTemplate } from '../template/init-template.ts';
import { checkWiring } from '../wiring/check-wiring.ts';
import { memoryFiles } from './file-source.ts';
import { loadModule } from './load-module.ts';

const files = initTemplate().map(({ path, text }) => [`/p/${path}`, text] as const);
const piece = fc.constantFrom(
  ...[
    '- ',
    ': ',
    '\n',
    '  ',
    '{',
    '}',
    '"',
    '&a ',
    '*a',
    '#',
    '---\n',
    '\u0000',
    '${{ ',
    ' }}',
    'parameters.',
    '@sha256:',
    '../',
    '/etc/passwd',
  ],
  ...[
    'null',
    '-1',
    '1e9',
    'true',
    '[]',
    '{}',
    '__proto__',
    'constructor',
    '"\\ud800"',
    'ss-get ',
    '$(',
    'image.yaml',
    'deployment.yaml',
    '#hello',
  ],
);

test('whatever the files hold, they load, plan and check, or are refused with places', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(files.length - 1),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(12),
      fc.array(piece, { maxLength: 3 }),
      async (which, where, cut, pieces) => {
        const broken = Object.fromEntries(files);
        const [path, text] = files[which] ?? ['', ''];
        const at = Math.floor(where * text.length);
        broken[path] = text.slice(0, at) + pieces.join('') + text.slice(at + cut);
        try {
          const { deployment } = await loadModule('/p', { fs: memoryFiles(broken) });
          expect(resolvedDeployment.parse(deployment)).toEqual(deployment);
          const { problems, notChecked } = checkWiring(deployment);
          for (const { line, column } of [...problems, ...notChecked]) expect(Math.min(line, column)).toBeGreaterThan(0);
          const plan = planRun(deployment);
          expect(runPlan.parse(plan)).toEqual(plan);
        } catch (error) {
          if (!isPacelineError(error)) throw error;
          expect(['PACELINE_MODULE_INVALID', 'PACELINE_REQUEST_INVALID', 'PACELINE_MODULE_NOT_FOUND']).toContain(error.code);
          expect(error.message).not.toMatch(/undefined|\[object/);
        }
      },
    ),
    { numRuns: 200 },
  );
});
