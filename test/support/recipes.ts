import { loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';

/** One node of a deployment that a test writes down in place. */
export interface TestNode {
  multiplicity?: number;
  /** Scripts by phase; `#!/bin/sh` and `set -e` go before each that has no `#!` of its own. */
  scripts?: Record<string, string>;
  /** Declarations as in an image file. */
  parameters?: Record<string, unknown>;
  /** Inputs as in a deployment file. */
  inputs?: Record<string, unknown>;
  packages?: string[];
  maxProvisioningFailures?: number;
}

/** A deployment of nodes whose scripts stand in the test itself, loaded like any other. */
export async function deploymentOf(nodes: Record<string, TestNode>, spec: Record<string, unknown> = {}): Promise<ResolvedDeployment> {
  const files: Record<string, string> = {};
  for (const [name, { scripts = {}, parameters = {}, packages = [] }] of Object.entries(nodes)) {
    const entries = Object.entries(scripts).map(([phase, text]) => [phase, text.startsWith('#!') ? text : `#!/bin/sh\nset -e\n${text}\n`]);
    files[`/p/${name}/image.yaml`] = yaml('Image', name, { parameters, packages, scripts: Object.fromEntries(entries) });
  }
  files['/p/deployment.yaml'] = yaml('Deployment', 'test', {
    nodes: Object.fromEntries(
      Object.entries(nodes).map(([name, { multiplicity = 1, inputs = {}, maxProvisioningFailures = 0 }]) => [
        name,
        { image: `./${name}`, multiplicity, parameters: inputs, maxProvisioningFailures },
      ]),
    ),
    // The test is an outsider that may set what the scripts wait for.
    onStall: 'wait',
    ...spec,
  });
  return (await loadModule('/p/deployment.yaml', { fs: memoryFiles(files) })).deployment;
}

/** JSON is YAML. */
function yaml(kind: string, name: string, spec: object): string {
  return JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name }, spec });
}
