const nodeLevel = new Set(['multiplicity', 'ids']);
/** Global and whole-machine names that SlipStream's own client left alone. */
const untouched = new Set(['ss', 'machine', 'orchestrator']);

/** The full name of a parameter, as SlipStream's client made it: `x` is our own, `node:x` that of the first instance. */
export function qualifyKey(key: string, instance: string): string {
  const colon = key.indexOf(':');
  if (colon === -1) return nodeLevel.has(key) ? `${instance.split('.')[0]}:${key}` : `${instance}:${key}`;
  const node = key.slice(0, colon);
  const name = key.slice(colon + 1);
  if (untouched.has(node) || node.startsWith('orchestrator-') || node.includes('.') || nodeLevel.has(name)) return key;
  return `${node}.1:${name}`;
}
