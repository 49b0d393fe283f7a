// `npm run conformance`: runs the checks of all connectors that can be run here, and writes what came of it into docs/connectors.md.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { checks } from '../packages/engine/src/conformance/suite.ts';

const document = join(import.meta.dirname, '..', 'docs', 'connectors.md');
const [begin, end] = ['<!-- The matrix, written by `npm run conformance` -->', '<!-- The end of the matrix -->'];

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

interface TestResult {
  ancestorTitles: string[];
  title: string;
  status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
}
interface Report {
  startTime: number;
  testResults: { name: string; startTime: number; assertionResults: TestResult[] }[];
}

const given = process.argv.slice(2);
const reports = (given.length > 0 ? given : [run()]).map((path) => JSON.parse(readFileSync(path, 'utf8')) as Report);
writeFileSync(
  document,
  readFileSync(document, 'utf8').replace(new RegExp(`${begin}[^]*${end}`), `${begin}\n\n${tableOf(reports)}\n\n${end}`),
);

function run(): string {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-conformance-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const output = join(folder, 'report.json');
  const args = ['vitest', 'run', '--project', 'machines', '--reporter=json', `--outputFile=${output}`, 'src/conformance.test.ts'];
  spawnSync('npx', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return output;
}

function tableOf(all: readonly Report[]): string {
  const columns = new Map<string, { day: string; outcomes: Map<string, string> }>();
  for (const { name, startTime, assertionResults } of all.flatMap(({ testResults }) => testResults)) {
    const connector = basename(dirname(dirname(name)));
    for (const { ancestorTitles, title, status } of assertionResults) {
      const sample = ancestorTitles.at(-1)?.split('/')[0];
      const key = sample === undefined || sample === '' ? connector : `${connector}, ${sample}`;
      const column = columns.get(key) ?? { day: new Date(startTime).toISOString().slice(0, 10), outcomes: new Map<string, string>() };
      columns.set(key, column);
      column.outcomes.set(title.split(':')[0] ?? '', { passed: '✓', failed: '✗' }[status as string] ?? '–');
    }
  }
  // A connector whose server is not here is not in the table.
  const shown = [...columns].filter(([, { outcomes }]) => [...outcomes.values()].some((outcome) => outcome !== '–'));
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['check', ...shown.map(([key]) => key)]),
    row(Array.from({ length: shown.length + 1 }, () => '---')),
    row(['against', ...shown.map(([key]) => tiers[key] ?? '')]),
    row(['on', ...shown.map(([, { day }]) => day)]),
    ...checks.map(({ id }) => row([`\`${id}\``, ...shown.map(([, { outcomes }]) => outcomes.get(id) ?? '')])),
  ].join('\n');
}
