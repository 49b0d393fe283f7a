import type { CloudSurvey } from '@paceline/api';
import { harmlessLine } from '@paceline/door';
import { PacelineError } from '@paceline/model';
import { connectToClouds } from '../connection/connect.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface CloudsOptions extends GlobalOptions {
  clouds?: string;
  offers?: boolean;
  json?: boolean;
}

/** `paceline clouds`: whether the clouds of the server answer, and what can be had there. */
export async function cloudsCommand(_args: string[], options: CloudsOptions, shell: Shell): Promise<number> {
  const client = await connectToClouds(options, shell);
  const clouds = await client.clouds();
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ clouds })}\n`);
  else
    for (const line of clouds.flatMap((cloud) => linesOf(cloud, options.offers === true)))
      shell.stdout.write(`${/^ */.exec(line)?.[0]}${harmlessLine(line)}\n`);
  const failed = clouds.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return 0;
  throw new PacelineError(
    'PACELINE_CLOUD_FAILED',
    `Of ${clouds.length} clouds ${failed.length} cannot be used: ${failed.map(({ name }) => name).join(', ')}`,
  );
}

function linesOf({ name, connector, reach, account, quota = {}, offers, failure }: CloudSurvey, withOffers: boolean): string[] {
  const title = [`${name}  ${connector}`, ...(reach === undefined ? [] : [reach])].join(', ');
  if (failure !== undefined) {
    return [`${title}  ✗ ${failure.message}`, ...(failure.hint === undefined ? [] : [`    ${failure.hint}`])];
  }
  const where = account === undefined ? '' : `  ${[account.account, ...account.regions].join(', ')}`;
  const limits = Object.entries({ machines: quota.machines, CPUs: quota.cpus, 'MiB of memory': quota.memoryMiB }).flatMap(([what, limit]) =>
    limit === undefined ? [] : [`${limit.used} of ${limit.max ?? 'any number of'} ${what}`],
  );
  return [
    `${title}${where}`,
    ...(limits.length === 0 ? [] : [`    ${limits.join(', ')}`]),
    ...(offers === undefined ? [] : withOffers ? offers.map(offerLine) : [`    ${offers.length} sizes of machines`]),
  ];
}

function offerLine({ name, cpus, memoryMiB, diskGiB, price }: NonNullable<CloudSurvey['offers']>[number]): string {
  const disk = diskGiB === undefined ? '' : `, ${diskGiB} GiB of disk`;
  const cost = price === null ? 'price unknown' : `${price.amount} ${price.currency} an hour`;
  return `    ${name.padEnd(16)} ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}, ${memoryMiB} MiB${disk}: ${cost}`;
}
