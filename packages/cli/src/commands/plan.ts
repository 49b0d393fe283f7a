import { checkWiring, errorCatalogue, formatDiagnostic, planOverview, planRun } from '@paceline/model';
import { harmless, moduleOf, paint, type ParameterOptions, requestParameters, themeFor } from '@paceline/door';
import { connectLater } from '../connection/connect-later.ts';
import type { GlobalOptions, Shell } from '../shell.ts';
import { overviewLines } from '../view/overview.ts';

export interface PlanOptions extends GlobalOptions, ParameterOptions {
  cloud?: string;
  json?: boolean;
}

/** `paceline plan`: what a run would be. Touches no cloud, and asks a server for published modules only. */
export async function planCommand([file = '.']: string[], options: PlanOptions, shell: Shell): Promise<number> {
  const { deployment, warnings } = await moduleOf(file, shell.cwd, connectLater(options, shell));
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
