import { createHmac } from 'node:crypto';

/**
 * The one-time secret by which a machine joins. It is worked out from the engine's own key and never stored, so that a launch
 * that is repeated after a crash carries the same user data.
 */
export function joinSecret(engineKey: Buffer, run: string, instance: string, token: string): string {
  return createHmac('sha256', engineKey).update(`join ${run} ${instance} ${token}`).digest('base64url');
}
