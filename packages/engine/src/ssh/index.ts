/** SSH to machines whose keys are known beforehand, for the engine and for connectors. */
export type { SshAccess, SshCredential } from './access.ts';
export { HostKeyMismatch, isHostKey } from './host-key.ts';
export { keyPairOf, type SshKeyPair } from './key-pair.ts';
export { openSession, type Ran, type SshSession } from './session.ts';
export { shownHostKey } from './shown-host-key.ts';
export { turns } from './turns.ts';
