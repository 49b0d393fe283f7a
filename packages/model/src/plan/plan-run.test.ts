import { expect, test } from 'vitest';
import { isPacelineError } from '../errors/paceline-error.ts';
import { memoryFiles } from '../load/file-source.ts';
import { loadModule } from '../load/load-module.ts';
import { runPlan } from '../resolved/run-plan.ts';
import { planRun } from './plan-run.ts';
import type { RunRequest } from './run-request.ts';

const head = (kind: string, name: string): string => `apiVersion: paceline.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;
const fs = memoryFiles({
  '/p/project.yaml': head('Project', 'p'),
  '/p/apache/image.yaml': `${head('Image', 'apache')}spec:
  parameters:
    port: { type: integer, default: 8080, minimum: 1 }
    ready: { type: boolean, output: true }
    tls: no
    token: { type: password }
    admin: { required: true, description: Who is called at night }
`,
  '/p/client/image.yaml': `${head('Image', 'client')}spec:
  parameters:
    webserver.hostname:
    webserver.port: { type: integer, default: 1 }
    token:
    label: none
    flag: { type: boolean, default: true }
`,
  '/p/web/deployment.yaml': `${head('Deployment', 'web')}spec:
  parameters:
    clients: { type: integer, default: 1, minimum: 1, maximum: 50 }
    password: { type: password }
    site: { values: [main, backup], default: main }
    url: { output: true }
  nodes:
    apache: { image: ../apache, cloud: lab, parameters: { admin: "\${{ parameters.site }}@example.org" } }
    client:
      image: ../client
      multiplicity: \${{ parameters.clients * 2 }}
      maxProvisioningFailures: 1
      parameters:
        webserver.hostname: { from: "apache:hostname" }
        webserver.port: { from: "apache:port" }
        token: { from: "apache:token" }
        label: "\${{ parameters.password }}"
        flag: no
`,
});
const { deployment } = await loadModule('/p/web', { fs });
const { deployment: single } = await loadModule('/p/apache', { fs });

function refusal(request: RunRequest, of = deployment): string {
  try {
    planRun(of, request);
  } catch (error) {
    if (isPacelineError(error)) return `${error.code}: ${error.message}${error.hint === undefined ? '' : `\n${error.hint}`}`;
    throw error;
  }
  return 'no error';
}

test('the defaults of the files', () => {
  const plan = planRun(deployment);
  expect(runPlan.parse(plan)).toEqual(plan);
  expect({
    ...plan,
    nodes: Object.fromEntries(Object.entries(plan.nodes).map(([name, { image: _, ...node }]) => [name, node])),
  }).toMatchInlineSnapshot(`
    {
      "category": "Deployment",
      "deployment": {
        "digest": "4eef22d7dd0342129d2ef99aecdbcf972013aad8647154a53d84a9c143e372ef",
        "module": "web",
        "name": "web",
      },
      "globals": {
        "clients": {
          "output": false,
          "secret": false,
          "type": "integer",
          "value": "1",
        },
        "password": {
          "output": false,
          "secret": true,
          "type": "password",
        },
        "site": {
          "output": false,
          "secret": false,
          "type": "enum",
          "value": "main",
        },
        "url": {
          "output": true,
          "secret": false,
          "type": "string",
        },
      },
      "keepRunning": "on-success",
      "lifetimeMs": 14400000,
      "nodes": {
        "apache": {
          "cloud": "lab",
          "maxProvisioningFailures": 0,
          "multiplicity": 1,
          "parameters": {
            "admin": {
              "output": false,
              "secret": false,
              "type": "string",
              "value": "main@example.org",
            },
            "port": {
              "output": false,
              "secret": false,
              "type": "integer",
              "value": "8080",
            },
            "ready": {
              "output": true,
              "secret": false,
              "type": "boolean",
            },
            "tls": {
              "output": false,
              "secret": false,
              "type": "string",
              "value": "no",
            },
            "token": {
              "output": false,
              "secret": true,
              "type": "password",
            },
          },
        },
        "client": {
          "cloud": "any",
          "maxProvisioningFailures": 1,
          "multiplicity": 2,
          "parameters": {
            "flag": {
              "output": false,
              "secret": false,
              "type": "boolean",
              "value": "false",
            },
            "label": {
              "output": false,
              "secret": true,
              "type": "string",
            },
            "token": {
              "from": "apache.1:token",
              "output": false,
              "secret": true,
              "type": "string",
            },
            "webserver.hostname": {
              "from": "apache.1:hostname",
              "output": false,
              "secret": false,
              "type": "string",
            },
            "webserver.port": {
              "from": "apache.1:port",
              "output": false,
              "secret": false,
              "type": "integer",
            },
          },
        },
      },
      "onStall": "abort",
      "timeoutMs": 1800000,
    }
  `);
});

test('the user comes first: values, numbers, clouds, policies', () => {
  const plan = planRun(deployment, {
    parameters: {
      clients: '3',
      'ss:site': 'backup',
      'apache:port': ' 80 ',
      'client:webserver.port': '81',
      'client:flag': 'YES',
      'apache:cloudservice': 'aws',
      'client:max-provisioning-failures': '2',
    },
    cloud: 'gcp',
    keepRunning: 'never',
    timeoutMs: 1000,
    knownClouds: ['aws', 'gcp'],
  });
  expect(plan.nodes['apache']).toMatchObject({
    cloud: 'aws',
    multiplicity: 1,
    parameters: { port: { value: '80' }, admin: { value: 'backup@example.org' } },
  });
  expect(plan.nodes['client']).toMatchObject({
    cloud: 'gcp',
    multiplicity: 6,
    maxProvisioningFailures: 2,
    parameters: { flag: { value: 'true' } },
  });
  expect(plan.nodes['client']?.parameters['webserver.port']).toEqual({
    type: 'integer',
    value: '81',
    secret: false,
    output: false,
  });
  expect(plan).toMatchObject({ keepRunning: 'never', timeoutMs: 1000, lifetimeMs: 14_400_000 });
});

test('an empty value unsets; nobody else may fail when there are too few machines', () => {
  const plan = planRun(deployment, { parameters: { 'apache:port': '', 'client:multiplicity': '0' } });
  expect(plan.nodes['apache']?.parameters['port']).not.toHaveProperty('value');
  expect(plan.nodes['client']).toMatchObject({ multiplicity: 0, maxProvisioningFailures: 0 });
});

test('what follows a secret is a secret', () => {
  const { parameters } = planRun(deployment, { parameters: { password: 'hunter2' } }).nodes['client'] ?? {};
  expect(parameters?.['token']).toMatchObject({ from: 'apache.1:token', secret: true });
  expect(parameters?.['label']).toMatchObject({ value: 'hunter2', secret: true });
});

test('the run of one image', () => {
  const plan = planRun(single, { parameters: { port: '80', 'machine:admin': 'me' } });
  expect(plan.category).toBe('Image');
  expect(plan.nodes['machine']?.parameters).toMatchObject({ port: { value: '80' }, admin: { value: 'me' } });
  expect(refusal({ parameters: { 'machine:multiplicity': '2', admin: 'me' } }, single)).toMatchInlineSnapshot(`
    "PACELINE_REQUEST_INVALID: The run of one image is one machine
    Write a deployment for several."
  `);
  expect(refusal({}, single)).toMatchInlineSnapshot(`"PACELINE_REQUEST_INVALID: machine:admin needs a value: Who is called at night"`);
});

test('unknown names', () => {
  expect(refusal({ parameters: { client: '1' } })).toMatchInlineSnapshot(`
    "PACELINE_REQUEST_INVALID: Unknown parameter: client
    Did you mean \`clients\`?"
  `);
  expect(refusal({ parameters: { port: '1' } })).toMatchInlineSnapshot(`
    "PACELINE_REQUEST_INVALID: Unknown parameter: port
    Did you mean \`apache:port\`?"
  `);
  expect(refusal({ parameters: { 'apache:prot': '1' } })).toMatchInlineSnapshot(`
    "PACELINE_REQUEST_INVALID: Unknown parameter: prot in node: apache
    Did you mean \`port\`?"
  `);
  expect(refusal({ parameters: { 'apach:port': '1' } })).toMatchInlineSnapshot(`
    "PACELINE_REQUEST_INVALID: Unknown node: apach
    Did you mean \`apache\`?"
  `);
  expect(refusal({ parameters: { 'client.2:label': '1' } })).toMatchInlineSnapshot(`
    "PACELINE_REQUEST_INVALID: Values are given to a node, not to one of its instances: client.2:label
    Write \`client:label\`."
  `);
  expect(refusal({ parameters: { constructor: '1', 'apache:toString': '1', '__proto__:x': '1' } })).toMatchInlineSnapshot(`
    "PACELINE_REQUEST_INVALID: A run of web cannot start: 3 problems.
    - Unknown parameter: constructor. There are: clients, password, site, url.
    - Unknown parameter: toString in node: apache. There are: port, tls, token, admin, multiplicity, cloud, cloudservice, max-provisioning-failures.
    - Unknown node: __proto__. There are: apache, client."
  `);
  expect(refusal({ cloud: 'awss', knownClouds: ['aws'] })).toMatchInlineSnapshot(`
    "PACELINE_CLOUD_UNKNOWN: A run of web cannot start: 2 problems.
    - Unknown cloud: awss for node: apache. Known: any, aws.
    - Unknown cloud: awss for node: client. Known: any, aws."
  `);
});

test('no clouds at all', () => {
  for (const cloud of [undefined, 'any', 'aws']) {
    expect(refusal({ knownClouds: [], ...(cloud === undefined ? {} : { cloud }) })).toBe(
      'PACELINE_CLOUD_UNKNOWN: A run of web cannot start: the server has no cloud for its machines\n' +
        'Name one in its file of clouds, such as `clouds: { local: { connector: local } }`, and start it again.',
    );
  }
});

test('values that do not fit', () => {
  expect(
    refusal({
      parameters: {
        clients: '0',
        site: 'mian',
        url: 'x',
        'apache:port': 'http',
        'apache:ready': 'true',
        'apache:admin': '',
        'client:flag': 'perhaps',
        'client:multiplicity': '1.5',
        'apache:max-provisioning-failures': '1',
      },
      timeoutMs: -1,
    }),
  ).toMatchInlineSnapshot(`
    "PACELINE_REQUEST_INVALID: A run of web cannot start: 10 problems.
    - url is an output: scripts set it.
    - apache:ready is an output: the scripts of apache set it.
    - clients must be at least 1, not 0
    - site must be one of main, backup, not "mian". Did you mean \`main\`?
    - apache:max-provisioning-failures must be less than the multiplicity of 1, not 1
    - apache:port must be a whole number, not "http"
    - apache:admin needs a value: Who is called at night
    - client:multiplicity must be a whole number from 0 to 10000, not "1.5"
    - client:flag must be true or false, not "perhaps"
    - timeoutMs must be a whole number of milliseconds above 0 and at most ten years, not -1"
  `);
  expect(refusal({ parameters: { clients: '51' } })).toBe('PACELINE_REQUEST_INVALID: clients must be at most 50, not 51');
  expect(refusal({ parameters: { 'client:multiplicity': '10001' } })).toMatchInlineSnapshot(
    `"PACELINE_REQUEST_INVALID: client:multiplicity must be a whole number from 0 to 10000, not "10001""`,
  );
});

test('an expression that cannot be worked out', () => {
  const divided = structuredClone(deployment);
  const { client } = divided.nodes;
  if (client) client.multiplicity = 'parameters.clients / (parameters.clients - 1)';
  expect(refusal({}, divided)).toMatchInlineSnapshot(
    `"PACELINE_REQUEST_INVALID: client:multiplicity (\`parameters.clients / (parameters.clients - 1)\`) cannot be worked out: division by zero"`,
  );
  if (client) client.multiplicity = 'parameters.site';
  expect(refusal({}, divided)).toMatchInlineSnapshot(
    `"PACELINE_REQUEST_INVALID: client:multiplicity (\`parameters.site\`) must be a whole number from 0 to 10000, not "main""`,
  );
});
