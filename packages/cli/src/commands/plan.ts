import { checkWiring, errorCatalogue, estimateRun, formatDiagnostic, planOverview, planRun } from '@paceline/model';
import { budgetOf, harmless, moduleOf, paint, type ParameterOptions, requestParameters, themeFor } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { connectLater } from '../connection/connect-later.ts';
import type { GlobalOptions, Shell } from '../shell.ts';
import { estimateLines } from '../view/estimate.ts';
import { overviewLines } from '../view/overview.ts';

export interface PlanOptions extends GlobalOptions, ParameterOptions {
  cloud?: string;
  budget?: string[];
  knownPrices?: boolean;
  costs?: boolean;
  json?: boolean;
}

/** `paceline plan`: what a run would be. Asks a server for published modules, and its clouds only with `--costs`. */
export async function planCommand([file = '.']: string[], options: PlanOptions, shell: Shell): Promise<number> {
  const { deployment, warnings } = await moduleOf(file, shell.cwd, connectLater(options, shell));
  const { cloud } = options;
  const budget = budgetOf('--budget', options.budget ?? [], options.knownPrices);
  const plan = planRun(deployment, {
    parameters: await requestParameters(options, shell.cwd),
    ...(cloud === undefined ? {} : { cloud }),
    ...(budget === undefined ? {} : { budget }),
  });
  const overview = planOverview(deployment, plan);
  const wiring = checkWiring(deployment, plan);
  const costs = options.costs === true ? estimateRun(plan, await (await connect(options, shell)).clouds()) : undefined;
  const failed = wiring.problems.some(({ severity }) => severity === 'error');
  if (options.json === true)
    shell.stdout.write(`${JSON.stringify({ ...overview, wiring, warnings, ...(costs !== undefined && { costs }) })}\n`);
  else {
    const theme = themeFor(shell, shell.stdout);
    for (const line of overviewLines(overview, wiring)) shell.stdout.write(`${paint(line, theme)}\n`);
    for (const line of costs === undefined ? [] : estimateLines(costs, plan)) shell.stdout.write(`${paint(line, theme)}\n`);
    for (const problem of [...warnings, ...wiring.problems, ...wiring.notChecked])
      shell.stdout.write(`\n${harmless(formatDiagnostic(problem))}\n`);
  }
  const isImpossible = costs !== undefined && costs.problems.length > 0;
  return failed || isImpossible ? errorCatalogue.PACELINE_MODULE_INVALID.exit : 0;
}
