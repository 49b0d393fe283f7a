export { deploymentAnnotation } from './annotations.ts';
// Backstage finds modules by the default export of their packages.
// oxlint-disable-next-line import/no-default-export
export { pacelineCatalog as default } from './module.ts';
