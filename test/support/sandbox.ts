import { execFileSync } from 'node:child_process';

/** Why this host can have no machines of its own files; undefined if it can. */
export const whyNoSandbox = whyNot();

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'machines of the host’s own files need root';
  const missing = ['cloud-init', 'ip', 'unshare'].filter((name) => !has(name));
  return missing.length === 0 ? undefined : `there is no ${missing.join(', ')}: apt-get install cloud-init iproute2`;
}

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
