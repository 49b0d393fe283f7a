import { endRun, followRun } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';
import { liveOrSilent } from '../view/silent-view.ts';

export interface DownOptions extends GlobalOptions {
  wait: boolean;
  json?: boolean;
}

/** `paceline down`: ends a run and waits until its machines are gone. A run that has ended is no failure. */
export async function downCommand([named]: string[], options: DownOptions, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const json = options.json === true;
  let run = await endRun(client, await whichRun(client, named));
  if (options.wait && run.endedAt === null) {
    const view = liveOrSilent(shell, json);
    try {
      run = await followRun({ client, run: run.id, view, after: run.lastEvent, endsReady: () => false });
    } finally {
      view.close();
    }
  }
  shell.stdout.write(json ? `${JSON.stringify(run)}\n` : `${run.id} ${run.endedAt === null ? `is ending (${run.state})` : run.state}\n`);
  return 0;
}
