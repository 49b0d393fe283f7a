import type { KeepRunning, Layer, PlannedNode, PlannedParameter, ResolvedImage, RunPlan } from '@paceline/model';

/** Plans for tests, as small as they can be. */
export function imageOf(layer: Partial<Layer> = {}): ResolvedImage {
  return {
    name: 'image',
    module: 'test/image',
    layers: [{ module: 'test/image', packages: [], scripts: { deploy: { path: 'deploy.sh', text: '#!/bin/sh\ntrue\n' } }, ...layer }],
    parameters: {},
    resources: {},
    clouds: {},
    ports: [],
    digest: 'd'.repeat(64),
  };
}

export function nodeOf(node: Partial<PlannedNode> = {}): PlannedNode {
  return { image: imageOf(), multiplicity: 1, cloud: 'test', maxProvisioningFailures: 0, parameters: {}, ...node };
}

export function parameterOf(parameter: Partial<PlannedParameter> = {}): PlannedParameter {
  return { type: 'string', secret: false, output: false, ...parameter };
}

export function planOf(nodes: Record<string, PlannedNode>, rest: Partial<RunPlan> & { keepRunning?: KeepRunning } = {}): RunPlan {
  return {
    category: 'Deployment',
    deployment: { name: 'test', module: 'test', digest: 'd'.repeat(64) },
    nodes,
    globals: {},
    keepRunning: 'on-success',
    timeoutMs: 30 * 60_000,
    lifetimeMs: 4 * 3_600_000,
    onStall: 'abort',
    ...rest,
  };
}

/** SlipStream's tutorial: a web server and clients that wait for its address, port and readiness. */
export function clientServerPlan(clients = 1, rest: Partial<RunPlan> = {}): RunPlan {
  return planOf(
    {
      apache: nodeOf({
        parameters: { port: parameterOf({ type: 'integer', value: '8080' }), ready: parameterOf({ type: 'boolean', output: true }) },
      }),
      testclient: nodeOf({
        multiplicity: clients,
        parameters: {
          'webserver.hostname': parameterOf({ from: 'apache.1:hostname' }),
          'webserver.port': parameterOf({ from: 'apache.1:port' }),
          'webserver.ready': parameterOf({ from: 'apache.1:ready' }),
        },
      }),
    },
    rest,
  );
}
