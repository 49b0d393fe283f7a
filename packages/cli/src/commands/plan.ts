import { checkWiring, diskFiles, errorCatalogue, formatDiagnostic, loadModule, planOverview, planRun } from '@paceline/model';
import { harmless, paint, type ParameterOptions, requestParameters, themeFor } from '@paceline/door';
import type { Shell } from '../shell.ts';
import { overviewLines } from '../view/overview.ts';

export interface PlanOptions extends ParameterOptions {
  cloud?: string;
  json?: boolean;
}

/** `paceline plan`: what a run would be. Asks no server and touches no cloud. */
export async function planCommand([file = '.']: string[], options: PlanOptions, shell: Shell): Promise<number> {
  const { deployment, warnings } = await loadModule(file, { fs: diskFiles(), cwd: shell.cwd });
  const { cloud } = options;
  const plan = planRun(deployment, { parameters: await requestParameters(options, shell.cwd), ...(cloud === undefined ? {} : { cloud }) });
  const overview = planOverview(deployment, plan);
  const wiring = checkWiring(deployment, plan);
  const failed = wiring.problems.some(({ severity }) => severity === 'error');
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ ...overview, wiring, warnings })}\n`);
  else {
    const theme = themeFor(shell, shell.stdout);
    for (const line of overviewLines(overview, wiring)) shell.stdout.write(`${paint(line, theme)}\n`);
    for (const problem of [...warnings, ...wiring.problems, ...wiring.notChecked])
      shell.stdout.write(`\n${harmless(formatDiagnostic(problem))}\n`);
  }
  return failed ? errorCatalogue.PACELINE_MODULE_INVALID.exit : 0;
}
