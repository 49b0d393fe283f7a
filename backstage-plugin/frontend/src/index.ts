// Backstage finds plugins by the default export of their packages.
// oxlint-disable-next-line import/no-default-export
export { pacelinePlugin as default } from './plugin.tsx';
