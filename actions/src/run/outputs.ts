import { setOutput } from '@actions/core';
import type { ParameterView, RunDetail } from '@paceline/api';

/** The outputs that the actions have whatever runs; a parameter of such a name is only among `parameters`. */
export const fixedOutputs = ['run', 'state', 'url', 'service-url', 'parameters', 'reports'] as const;

export interface OutputFacts {
  run: RunDetail;
  /** Address of the server; machines and people of other jobs cannot reach that of an engine of the job's own. */
  url: string;
  outputs: readonly ParameterView[];
  /** The folder with the reports, absolute. */
  reports: string;
}

/** The outputs of the step: each declared global by its name; as JSON where the machines are and all that scripts were to set. Never a secret. */
export function stepOutputs({ run, url, outputs, reports }: OutputFacts): Record<string, string> {
  const open = outputs.filter(({ secret }) => !secret).map(({ key, value }) => [key, value ?? ''] as const);
  const places = run.instances.flatMap(({ name, address }) => (address === null ? [] : [[`${name}:hostname`, address] as const]));
  const globals = open.filter(([key]) => key.startsWith('ss:')).map(([key, value]) => [key.slice('ss:'.length), value] as const);
  return {
    ...Object.fromEntries(globals),
    run: run.id,
    state: run.state,
    url,
    'service-url': run.serviceUrl ?? '',
    parameters: JSON.stringify(Object.fromEntries([...places, ...open])),
    reports,
  };
}

export function publish(facts: OutputFacts): void {
  for (const [name, value] of Object.entries(stepOutputs(facts))) setOutput(name, value);
}
