import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withDigests } from '../digest.ts';
import { isPacelineError } from '../errors/paceline-error.ts';
import { memoryFiles } from '../load/file-source.ts';
import { loadModule } from '../load/load-module.ts';
import { planRun } from '../plan/plan-run.ts';
import { resolvedDeployment, type ResolvedDeployment } from './deployment.ts';

const file = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name, title: 'A title', tags: ['web'] }, spec });
const fs = memoryFiles({
  '/p/base.yaml': file('Image', 'debian', { clouds: { lab: { image: 'debian-12', login: 'admin' } } }),
  '/p/web.yaml': file('Image', 'web', {
    extends: './base.yaml',
    resources: { cpus: 1, memory: '1GiB', disk: '10GiB' },
    packages: ['apache2', 'libstdc++6', 'python3=3.11.*'],
    ports: [8080],
    parameters: {
      port: { type: 'integer', default: 8080 },
      host: { pattern: '[a-z][a-z0-9-]*' },
      size: { values: ['small', 'large'], default: 'small' },
      ready: { output: true },
    },
    scripts: { deploy: '#!/bin/sh\nss-get port\n' },
  }),
  '/p/deployment.yaml': file('Deployment', 'system', {
    parameters: { clients: { type: 'integer', default: 2 } },
    budget: { currency: 'EUR', total: 5 },
    nodes: {
      web: { image: './web.yaml', cloud: 'lab' },
      client: {
        image: './web.yaml',
        multiplicity: '${{ parameters.clients }}',
        cloud: 'lab,any:price',
        parameters: { host: { from: 'web:host' } },
      },
    },
  }),
});
const { deployment } = await loadModule('/p/deployment.yaml', { fs });
const { deployment: single } = await loadModule('/p/web.yaml', { fs });

/** The deployment as it comes over the wire, with something else at a place: `nodes.web.cloud`. */
function changed(place: string, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(deployment)) as Record<string, unknown>;
  const keys = place.split('/');
  const last = keys.pop() ?? '';
  const target = keys.reduce((at, key) => at[key] as Record<string, unknown>, copy);
  Object.defineProperty(target, last, { value, enumerable: true, writable: true, configurable: true });
  return JSON.parse(JSON.stringify(copy));
}

const long = (length: number): string => 'x'.repeat(length);
const many = (count: number, value: unknown, prefix = 'n'): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]));

describe('a resolved deployment from a stranger', () => {
  it.each([
    ['of several nodes', deployment],
    ['of one image', single],
  ])('%s is what the loader makes', (_what, loaded) => {
    const received = resolvedDeployment.parse(JSON.parse(JSON.stringify(loaded)));
    expect(received).toEqual(loaded);
    expect(withDigests(received)).toEqual(loaded);
  });

  it('gets the digests that its content has, whatever it says', () => {
    const lying = resolvedDeployment.parse(changed('nodes/web/image/digest', 'a'.repeat(64)));
    expect(withDigests({ ...lying, digest: 'b'.repeat(64) })).toEqual(deployment);
    const other = resolvedDeployment.parse(changed('nodes/web/image/layers/1/scripts/deploy/text', '#!/bin/sh\nrm -rf /\n'));
    expect(withDigests(other).digest).not.toBe(deployment.digest);
    expect(withDigests(other).nodes['web']?.image.digest).not.toBe(deployment.nodes['web']?.image.digest);
  });

  const web = deployment.nodes['web'];
  it.each<[string, unknown]>([
    ['digest', 'sha256:abc'],
    ['name', 'two\nlines'],
    ['name', 'a name'],
    ['title', 'clear\u001b[2J'],
    ['title', long(201)],
    ['description', long(64 * 1024 + 1)],
    ['tags', Array.from({ length: 101 }, String)],
    ['module', long(1025)],
    ['timeoutMs', 1e15],
    ['lifetimeMs', 0],
    ['surprise', true],
    ['nodes', {}],
    ['nodes', many(257, web)],
    ['nodes/__proto__', web],
    ['nodes/two words', web],
    ['nodes/ss', web],
    ['nodes/machine', web],
    ['nodes/orchestrator-lab', web],
    ['nodes/dotted.name', web],
    ['nodes/web/cloud', '../clouds'],
    ['nodes/web/multiplicity', -1],
    ['nodes/web/multiplicity', 10_001],
    ['nodes/web/multiplicity', long(2001)],
    ['nodes/client/parameters/host', { from: 'web' }],
    ['nodes/client/parameters/host', { from: 'web:host\nx' }],
    ['nodes/client/parameters/host', { value: 'x', from: 'web:host' }],
    ['nodes/client/parameters/a b', { value: 'x' }],
    ['nodes/client/parameters/host', { value: long(1024 * 1024 + 1) }],
    ['nodes/web/image/layers', []],
    ['nodes/web/image/layers', Array.from({ length: 65 }, () => web?.image.layers[0])],
    ['nodes/web/image/layers/1/packages/0', '-o Dpkg::Pre-Invoke=reboot'],
    ['nodes/web/image/layers/1/packages/0', 'apache2; reboot'],
    ['nodes/web/image/layers/1/packages/0', '$(reboot)'],
    ['nodes/web/image/layers/1/scripts/boot', { path: 'x', text: 'x' }],
    ['nodes/web/image/layers/1/scripts/deploy/text', long(1024 * 1024 + 1)],
    ['nodes/web/image/layers/1/module', 'x\u0000y'],
    ['nodes/web/image/clouds/lab/login', 'root -oProxyCommand=x'],
    ['nodes/web/image/parameters', many(513, { type: 'string' })],
    ['nodes/web/image/parameters/constructor:x', { type: 'string' }],
    ['nodes/web/image/parameters/host/pattern', '(a'],
    ['nodes/web/image/parameters/host/pattern', '(?=a)a'],
    ['nodes/web/image/parameters/host/pattern', long(501)],
    ['nodes/web/image/parameters/size/values', Array.from({ length: 1001 }, String)],
    ['nodes/web/image/parameters', many(100, { type: 'string', pattern: 'x{900}' })],
    ['parameters/__proto__', { type: 'string' }],
  ])('is refused with %s = %.60j', (place, value) => {
    const { success, data } = resolvedDeployment.safeParse(changed(place, value));
    // A key that poisons is dropped or refused, but never kept.
    if (place.endsWith('__proto__'))
      expect(success ? Object.keys(data.nodes).concat(Object.keys(data.parameters)) : []).not.toContain('__proto__');
    else expect(success).toBe(false);
  });

  it('says where it is wrong, and what should be there', () => {
    const result = resolvedDeployment.safeParse(changed('nodes/web/image/layers/1/packages/0', '; reboot'));
    expect(result.error?.issues).toMatchObject([
      { path: ['nodes', 'web', 'image', 'layers', 1, 'packages', 0], message: 'must be the name of a package' },
    ]);
  });

  it('of one image has the one node `machine`', () => {
    const image = (nodes: unknown): boolean => resolvedDeployment.safeParse({ ...single, nodes }).success;
    const machine = single.nodes['machine'];
    expect([image({ machine }), image({ other: machine }), image({ machine, other: machine }), image({})]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('whatever is changed in it, is planned or refused for a reason', () => {
    const places = placesOf(deployment);
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        0,
        -1,
        1e308,
        '',
        '0',
        '__proto__',
        'constructor',
        'web:host',
        'client:host',
        'web.1:hostname',
        '${{ x }}',
        'parameters.clients * 1000000',
        '(a+)+$',
        [],
        {},
        true,
      ),
      fc.string(),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...places), value), { minLength: 1, maxLength: 3 }), (changes) => {
        const received = changes.reduce<unknown>((value, [place, to]) => replaced(value, place, to), deployment);
        const { success, data } = resolvedDeployment.safeParse(received);
        if (!success) return;
        try {
          const plan = planRun(withDigests(data));
          expect(Object.values(plan.nodes).reduce((sum, { multiplicity }) => sum + multiplicity, 0)).toBeLessThanOrEqual(10_000);
        } catch (error) {
          expect(isPacelineError(error) ? error.code : error).toMatch(/^PACELINE_(REQUEST_INVALID|CLOUD_UNKNOWN)$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** The places of everything in a tree. */
function placesOf(value: unknown): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => [[key], ...placesOf((value as Record<string | number, unknown>)[key]).map((rest) => [key, ...rest])]);
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], to: unknown): unknown {
  if (key === undefined) return to;
  if (typeof value !== 'object' || value === null) return value;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string | number, unknown>;
  copy[key] = replaced(copy[key], rest, to);
  return copy;
}

describe('mappings', () => {
  const problems = (changes: Partial<ResolvedDeployment['nodes'][string]['parameters']>): string[] => {
    const { nodes } = deployment;
    const changed = { ...deployment, nodes: { ...nodes, client: { ...nodes['client'], parameters: changes } } } as ResolvedDeployment;
    try {
      planRun(changed);
      return [];
    } catch (error) {
      return isPacelineError(error) ? (error.data['problems'] as { message: string }[]).map(({ message }) => message) : [String(error)];
    }
  };

  it.each([
    ['to a parameter', 'web:port', undefined],
    ['to what every machine has', 'web.1:hostname', undefined],
    ['to an unknown parameter', 'web:prot', 'client:host follows `web.1:prot`, which does not exist'],
    ['to an unknown node', 'wbe:port', 'client:host follows `wbe.1:port`, which does not exist'],
    ['to a word of JavaScript', 'web:constructor', 'client:host follows `web.1:constructor`, which does not exist'],
    ['to itself', 'client:host', 'client:host follows `client.1:host`, which follows itself: client.1:host ← client.1:host'],
    [
      'in a circle',
      'client:size',
      'client:host follows `client.1:size`, which follows itself: client.1:size ← client.1:host ← client.1:size',
    ],
  ])('%s', (_what, from, problem) => {
    const found = problems({ host: { from }, size: { from: 'client:host' } });
    if (problem === undefined) expect(found).toEqual([]);
    else expect(found).toContain(problem);
  });
});
