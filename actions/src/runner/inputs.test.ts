import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildInputs, connectionInputs, deployInputs, deployOptions, requestOf, runInputs, scaleInputs } from '../run/options.ts';
import { fixedOutputs } from '../run/outputs.ts';
import { isKept, jobStatusOf } from '../run/settings.ts';
import { Inputs } from './inputs.ts';

const inputs = (given: Record<string, string>): Inputs =>
  new Inputs(Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])));

interface Described {
  inputs: Record<string, { description: string; default?: string }>;
  outputs?: Record<string, { description: string }>;
}
const described = (name: string): Described =>
  parse(readFileSync(fileURLToPath(new URL(`../../${name}/action.yml`, import.meta.url)), 'utf8')) as Described;

test.each([
  ['deploy', deployInputs],
  ['run', runInputs],
  ['scale', scaleInputs],
  ['build-image', buildInputs],
  ['terminate', ['run', ...connectionInputs]],
  ['reap', ['clouds', 'dry-run', 'kept', ...connectionInputs]],
] as const)('%s describes the inputs that it knows', (name, known) => {
  expect(Object.keys(described(name).inputs).toSorted()).toEqual([...known].toSorted());
});

test.each(['deploy', 'run'])('%s describes its outputs', (name) => {
  expect(Object.keys(described(name).outputs ?? {})).toEqual([...fixedOutputs]);
});

const actions = ['deploy', 'run', 'scale', 'build-image', 'terminate', 'reap'];

test.each(actions)('the README of %s has the inputs and outputs of its action.yml, with the same words', (name) => {
  const file = described(name);
  const shown = (items: Record<string, { description: string; default?: string }>, withDefault: boolean): string[] =>
    Object.entries(items).map(([item, { description, default: value = '' }]) =>
      withDefault ? `| \`${item}\` | ${value === '' ? '' : `\`${value}\``} | ${description} |` : `| \`${item}\` | ${description} |`,
    );
  const [, tables = ''] = readFileSync(fileURLToPath(new URL(`../../${name}/README.md`, import.meta.url)), 'utf8').split('\n## Inputs\n');
  expect(tables.match(/^\| `.*$/gm)).toEqual([...shown(file.inputs, true), ...shown(file.outputs ?? {}, false)]);
});

test('deploy reads all inputs that it describes', () => {
  const read = new Set<string>();
  class Recording extends Inputs {
    override text(name: string): string | undefined {
      read.add(name);
      return super.text(name);
    }
  }
  const recording = new Recording({});
  deployOptions(recording);
  jobStatusOf(recording);
  const elsewhere: readonly string[] = ['server-token', 'token'];
  expect([...read].toSorted()).toEqual(deployInputs.filter((name) => !elsewhere.includes(name)).toSorted());
});

test('a budget, a project and tags go with the request', () => {
  const options = deployOptions(inputs({ budget: '10EUR, 2EUR/h', 'known-prices': 'true', project: 'shop', tags: 'nightly\nweb, eu' }));
  expect(requestOf('id', {} as Parameters<typeof requestOf>[1], options, ['own'])).toMatchObject({
    budget: { currency: 'EUR', total: 10, perHour: 2, knownPrices: true },
    project: 'shop',
    tags: ['own', 'nightly', 'web', 'eu'],
  });
  expect(() => deployOptions(inputs({ budget: 'much' }))).toThrow("The input 'budget': 'much' is no budget");
});

test('what action.yml has for defaults is what nothing means', () => {
  const defaults = Object.fromEntries(Object.entries(described('deploy').inputs).map(([name, input]) => [name, input.default ?? '']));
  // An artifact that is named nothing is none.
  const nothing = inputs({ artifact: 'paceline-reports' });
  expect(deployOptions(inputs({ ...defaults, 'job-index': '0' }))).toEqual(deployOptions(nothing));
  expect(deployOptions(inputs({ ...defaults, artifact: '' })).settings.artifact).toBeUndefined();
});

test('what post has to know is read by main', () => {
  const { settings } = deployOptions(inputs({ 'retention-days': '3', 'reports-limit': '2MiB', name: 'shop', 'job-index': '2' }));
  expect(settings).toMatchObject({ retentionDays: 3, reportsLimit: 2 * 2 ** 20, topic: 'shop (2)', keepRunning: 'never' });
  expect(() => deployOptions(inputs({ 'retention-days': 'some' }))).toThrow("The input 'retention-days': 'some' is not a number of days");
  expect(() => deployOptions(inputs({ 'reports-limit': '2' }))).toThrow("The input 'reports-limit': '2' is not a size");
});

test.each([
  ['', {}],
  ['clients=3', { clients: '3' }],
  ['# a comment\n  clients=3  \n\nweb:text=a=b:c', { clients: '3', 'web:text': 'a=b:c' }],
  ['clients: 3\nweb: { port: 8080, tls: true }', { clients: '3', 'web:port': '8080', 'web:tls': 'true' }],
  ['{ "clients": "3" }', { clients: '3' }],
])('parameters %j', (text, expected) => {
  expect(inputs({ parameters: text }).parameters('parameters')).toEqual(expected);
});

test.each(['just text', 'clients: [1]', '- a', 'a: b: c'])('no parameters: %j', (text) => {
  expect(() => inputs({ parameters: text }).parameters('parameters')).toThrow("The input 'parameters'");
});

test('a run that is ready stays until post, and after it only as it was told', () => {
  const request = (keepRunning: string): string | undefined =>
    requestOf('id', {} as Parameters<typeof requestOf>[1], deployOptions(inputs({ 'keep-running': keepRunning })), []).keepRunning;
  expect(['never', 'on-success', 'on-error', 'always'].map(request)).toEqual(['on-success', 'on-success', 'always', 'always']);
  const kept = (outcome: 'succeeded' | 'failed'): boolean[] =>
    (['never', 'on-success', 'on-error', 'always'] as const).map((policy) => isKept(policy, outcome));
  expect(kept('succeeded')).toEqual([false, true, false, true]);
  expect(kept('failed')).toEqual([false, false, true, true]);
});
