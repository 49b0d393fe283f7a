export { cloudsOf, readClouds, type CloudsSource } from './clouds-file.ts';
export { loadConnector } from './connector-package.ts';
export { openClouds } from './open-clouds.ts';
export { behindTunnels } from './way-home.ts';
