/** What tests of the `ssh` connector, and of whole systems on it, need. */
export { openHosts, whyNoHosts, type TestHost, type TestHosts } from './hosts.ts';
