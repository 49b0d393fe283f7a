import { createHash, createHmac } from 'node:crypto';

/**
 * The name by which an engine knows its own machines: it outlives the store, as long as the key is kept.
 * @param tag shared by engines that are to know each other's machines, such as those that serve one job of a repository each: what
 *   one of them has lost with its store and key, another can find. It gives no access to anything.
 */
export function engineId(engineKey: Buffer, tag?: string): string {
  const digest = tag === undefined ? createHmac('sha256', engineKey).update('engine') : createHash('sha256').update(`engine ${tag}`);
  return digest.digest('hex').slice(0, 32);
}

/**
 * What the one-time secrets of the machines of a launch come from. Only machines that have their user data in common are given it, which
 * then work out their own.
 */
export function launchSecret(engineKey: Buffer, run: string, token: string): string {
  return createHmac('sha256', engineKey).update(`launch ${run} ${token}`).digest('base64url');
}

/**
 * The one-time secret by which a machine joins. It is worked out from the engine's own key and never stored, so that a launch
 * that is repeated after a crash carries the same user data.
 */
export function joinSecret(engineKey: Buffer, run: string, instance: string, token: string): string {
  return createHmac('sha256', launchSecret(engineKey, run, token))
    .update(instance)
    .digest('base64url');
}

/** The token that is good for one run alone. Worked out, so that a request to start a run may be repeated. */
export function runToken(engineKey: Buffer, run: string): string {
  return `plr_${createHmac('sha256', engineKey).update(`run ${run}`).digest('base64url')}`;
}
