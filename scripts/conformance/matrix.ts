/** What one check said of one connector. */
export interface Outcome {
  /** The connector, and which kind of it where there are several: `exec, python`. */
  subject: string;
  check: string;
  state: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, or what went wrong. */
  why?: string | undefined;
  ms: number;
  /** When it began, in milliseconds since 1970. */
  at: number;
}

/** What machines are made by where the checks run. */
const tiers: Record<string, string> = {
  local: 'T1: processes of the host',
  sandbox: 'T1: namespaces of the host',
  qemu: 'T1: QEMU',
  lxd: 'T1: LXD 5.0',
  ssh: 'T1: OpenSSH',
  aws: 'T2: moto 5.2.5',
  openstack: 'T1: OpenStack Zed, fake machines',
  'libcloud, Dummy': "no tier: Libcloud's Dummy driver with a memory of ours",
  'libcloud, EC2': 'T2: moto 5.2.5',
  'libcloud, OpenStack': 'T1: OpenStack Zed, fake machines',
  terraform: 'T1: Terraform, processes of the host',
  'exec, python': 'T1: processes of the host',
  'exec, shell': 'T1: processes of the host',
};

/** The matrix of checks and connectors, what the letters in it mean, what has failed, and which connectors could not be checked. */
export function matrixOf(checks: readonly string[], outcomes: readonly Outcome[]): string {
  const columns = [...Map.groupBy(outcomes, ({ subject }) => subject)].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const shown = columns.filter(([, all]) => all.some(({ state }) => state !== 'skipped'));
  const absent = columns.filter(([, all]) => all.every(({ state }) => state === 'skipped'));
  const reasons = new Set(shown.flatMap(([, all]) => all.flatMap(({ state, why }) => (state === 'skipped' ? (why ?? unsaid) : []))));
  const letters = new Map([...reasons].map((why, at) => [why, (at + 10).toString(36)]));
  const cell = (all: readonly Outcome[], check: string): string => {
    const outcome = all.find((each) => each.check === check);
    if (outcome === undefined) return '';
    if (outcome.state === 'failed') return '✗';
    return outcome.state === 'passed' ? `✓ ${seconds(outcome.ms)}` : (letters.get(outcome.why ?? unsaid) ?? '');
  };
  const failed = shown.flatMap(([subject, all]) =>
    all.filter(({ state }) => state === 'failed').map(({ check, why }) => `- ✗ ${subject}, \`${check}\`: ${firstLine(why)}`),
  );
  return [
    row(['check', ...shown.map(([subject]) => subject)]),
    row(Array.from({ length: shown.length + 1 }, () => '---')),
    row(['against', ...shown.map(([subject]) => tiers[subject] ?? '')]),
    row(['on', ...shown.map(([, [first]]) => new Date(first?.at ?? 0).toISOString().slice(0, 10))]),
    row(['seconds', ...shown.map(([, all]) => seconds(all.reduce((sum, { ms }) => sum + ms, 0)))]),
    ...checks.map((check) => row([`\`${check}\``, ...shown.map(([, all]) => cell(all, check))])),
    '',
    ...[...letters].map(([why, letter]) => `- ${letter}: ${why}`),
    ...failed,
    ...absent.map(([subject, [first]]) => `- not checked here: ${subject} (${first?.why ?? unsaid})`),
  ].join('\n');
}

const unsaid = 'its time was over';

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 9950 ? 1 : 0);
}

function firstLine(text = ''): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
