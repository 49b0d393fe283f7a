import type { Client, RunDetail } from '@paceline/api';
import { estimateRun, planRun, type ResolvedDeployment } from '@paceline/model';
import { setTimeout as pause } from 'node:timers/promises';
import type { Prices } from '../report/cost.ts';
import type { DeployOptions } from './options.ts';

/** Clouds that are slow to answer keep nobody from what is ready. */
const patienceMs = 10_000;

/** What a machine of each node costs on the clouds where the run has some. Whoever may not ask the clouds does not know it. */
export async function pricesOf(
  client: Pick<Client, 'clouds'>,
  { instances }: Pick<RunDetail, 'instances'>,
  deployment: ResolvedDeployment,
  { parameters, cloud }: Pick<DeployOptions, 'parameters' | 'cloud'>,
): Promise<Prices> {
  const found = await Promise.race([client.clouds().catch(() => []), pause(patienceMs, [], { ref: false })]);
  // Room that is taken, perhaps by this run, makes nothing dearer.
  const clouds = found.map(({ name, offers }) => ({ name, offers }));
  const plan = planRun(deployment, { parameters, ...(cloud === undefined ? {} : { cloud }) });
  const prices: Prices = {};
  for (const at of new Set(instances.map((instance) => instance.cloud))) {
    const nodes = Object.fromEntries(Object.entries(plan.nodes).map(([name, node]) => [name, { ...node, cloud: at }]));
    for (const { node, count, price } of estimateRun({ ...plan, nodes }, clouds).shares)
      if (price !== null) prices[node] = { ...prices[node], [at]: { ...price, amount: price.amount / count } };
  }
  return prices;
}
