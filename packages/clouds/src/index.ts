export { cloudsOf, readClouds, type CloudsSource } from './clouds-file.ts';
export { loadConnector } from './connector-package.ts';
export { CloudWatch } from './cloud-watch.ts';
export { openCloud, openClouds } from './open-clouds.ts';
export { behindTunnel } from './way-home.ts';
