/** Directories that hold servers and their tools, which a user's own PATH often lacks. */
const standardPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The little that everything we start gets to see of the engine's environment: none of its secrets, none of its settings. */
export function cleanEnvironment(home: string, temporary: string, env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const path = new Set([...(env['PATH'] ?? '').split(':').filter((entry) => entry.startsWith('/')), ...standardPath]);
  return { PATH: [...path].join(':'), HOME: home, LANG: env['LANG'] ?? 'C.UTF-8', TMPDIR: temporary };
}
