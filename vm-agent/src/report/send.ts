import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ReportStep } from '@paceline/api/agent';
import type { Bench, Outcome } from '../runner/bench.ts';
import { tried } from '../tried.ts';
import { reportName, spool } from './spool.ts';
import { tarOf } from './tar.ts';
import { upload } from './upload.ts';

/** SlipStream's name for the folder in the tarball: its path with `_` for `/`. */
const reportRoot = 'var_log_slipstream_client';
/** What scripts printed is masked, as it was on its way home live; what they put into the report is theirs, byte for byte. */
const printed = /^var_log_slipstream_client\/(?:\d+-.*\.(?:stdout|stderr)|paceline-agent)\.log$/;

/** Make the report, unless an agent before this one has, and send it. Rejects when that cannot be. */
export async function sendReport(bench: Bench, step: ReportStep, stop: AbortSignal): Promise<Outcome> {
  const { config, paths, engine, store, masker, clock, bootId } = bench;
  let { report } = store.step(step.id) ?? {};
  if (!report || statSync(join(paths.spool, report.name), { throwIfNoEntry: false })?.size !== report.size) {
    let now = clock.now();
    while (reportName(config.instance, now) === store.state.lastReport) now += 1000;
    const name = (store.state.lastReport = reportName(config.instance, now));
    const spooled = await spool(
      tarOf(paths.reports, reportRoot, masker, (name) => printed.test(name)),
      join(paths.spool, name),
      stop,
    );
    report = { name, ...spooled };
    const record = { status: 'running', attempt: 1, bootId, report } as const;
    // Else an agent after this one makes it anew.
    tried(() => store.record(step.id, record));
  }
  const file = join(paths.spool, report.name);
  await upload({ engine, file, ...report, clock, signal: stop });
  rmSync(file, { force: true });
  return { status: 'done' };
}
