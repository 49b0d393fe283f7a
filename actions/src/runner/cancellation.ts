/** Told when the runner cancels the step: SIGINT, then SIGTERM 7.5 s later; 2.5 s after that it kills. */
export function cancellation(source: Pick<NodeJS.Process, 'on'> = process): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    source.on(name, () => controller.abort(new Error('The job was cancelled')));
  }
  return controller.signal;
}
