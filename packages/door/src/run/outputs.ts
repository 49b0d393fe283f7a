import type { ParameterView } from '@paceline/api';
import type { ResolvedDeployment } from '@paceline/model';

/** The parameters that scripts were to set, and have set: first those of the run, then those of each instance. */
export function outputsOf(parameters: readonly ParameterView[], { parameters: globals, nodes }: ResolvedDeployment): ParameterView[] {
  return parameters.filter(({ key, value }) => {
    const colon = key.indexOf(':');
    const scope = key.slice(0, colon);
    const specs = scope === 'ss' ? globals : nodes[scope.replace(/\.\d+$/, '')]?.image.parameters;
    return value !== null && specs?.[key.slice(colon + 1)]?.output === true;
  });
}
