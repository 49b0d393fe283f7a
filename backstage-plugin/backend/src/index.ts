export { pacelinePlugin } from './plugin.ts';
export { pacelineRootHealth } from './health.ts';
// Backstage finds plugins by the default export of their packages.
// oxlint-disable-next-line import/no-default-export
export { pacelinePlugin as default } from './plugin.ts';
export { createRunConditionalDecision, runConditions } from './runs/rules.ts';
