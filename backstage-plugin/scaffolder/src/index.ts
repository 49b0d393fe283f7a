// Backstage finds modules by the default export of their packages.
// oxlint-disable-next-line import/no-default-export
export { pacelineActions as default } from './module.ts';
