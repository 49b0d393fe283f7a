import { expect, test } from 'vitest';
import { memoryFiles } from '../load/file-source.ts';
import { loadModule } from '../load/load-module.ts';
import { planOverview } from './plan-overview.ts';
import { planRun } from './plan-run.ts';

const head = (kind: string, name: string): string =>
  `apiVersion: paceline.dev/v1\nkind: ${kind}\nmetadata: { name: ${name}, title: The ${name} }\n`;

test('what a run would do, in order, with the origin of every value', async () => {
  const fs = memoryFiles({
    '/p/project.yaml': head('Project', 'p'),
    '/p/base/image.yaml': `${head('Image', 'base')}spec:\n  packages: [curl]\n  scripts: { preInstall: a.sh, deploy: b.sh, onVmAdd: b.sh }\n`,
    '/p/base/a.sh': '#!/bin/sh\n',
    '/p/base/b.sh': '#!/bin/sh\n',
    '/p/web/image.yaml': `${head('Image', 'web')}spec:\n  extends: ../base\n  packages: [apache2]\n  scripts: { deploy: c.sh, postInstall: c.sh }\n  parameters: { port: 8080, host: , ready: { output: true }, label: x, mode: y, key: { type: password }, free: , given: 1 }\n`,
    '/p/web/c.sh': '#!/bin/sh\n',
    '/p/all/deployment.yaml': `${head('Deployment', 'all')}spec:
  parameters: { count: 2, password: { type: password } }
  nodes:
    web:
      image: ../web
      multiplicity: \${{ parameters.count }}
      parameters: { host: { from: "web:hostname" }, label: fixed, mode: "m\${{ parameters.count }}", key: "\${{ parameters.password }}" }
`,
  });
  const { deployment } = await loadModule('/p/all', { fs });
  const plan = planRun(deployment, { parameters: { 'web:given': '2', password: 'hunter2' }, cloud: 'lab' });
  const overview = planOverview(deployment, plan);
  expect(JSON.stringify(overview)).not.toContain('hunter2');
  const { nodes, digest: _, ...rest } = overview;
  expect(rest).toMatchInlineSnapshot(`
    {
      "keepRunning": "on-success",
      "kind": "Deployment",
      "lifetimeMs": 14400000,
      "machines": 2,
      "name": "all",
      "parameters": [
        {
          "name": "count",
          "origin": "default",
          "secret": false,
          "value": "2",
        },
        {
          "name": "password",
          "origin": "request",
          "secret": true,
        },
      ],
      "timeoutMs": 1800000,
      "title": "The all",
    }
  `);
  const [web] = nodes;
  expect(web?.instances).toEqual(['web.1', 'web.2']);
  expect(web?.steps.map(({ label, module, path, packages }) => `${label}: ${module} ${path ?? packages?.join(' ')}`))
    .toMatchInlineSnapshot(`
    [
      "Pre-install: base base/a.sh",
      "Install packages: base curl",
      "Install packages: web apache2",
      "Post-install: web web/c.sh",
      "Deployment: base base/b.sh",
      "Deployment: web web/c.sh",
    ]
  `);
  expect(web?.hooks.map(({ label }) => label)).toEqual(['On VM Add']);
  expect(web?.parameters.map(({ name, origin, value, from }) => `${name} ${origin} ${value ?? from ?? ''}`.trimEnd()))
    .toMatchInlineSnapshot(`
    [
      "port default 8080",
      "host mapping web.1:hostname",
      "ready script",
      "label constant fixed",
      "mode expression m2",
      "key expression",
      "free none",
      "given request 2",
    ]
  `);
});
