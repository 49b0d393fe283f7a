import { setSecret } from '@actions/core';
import { sortValues, type ResolvedDeployment } from '@paceline/model';

/** Keeps a secret out of the log: as it is, line by line, and in the forms in which programs like to print it. */
export function mask(secret: string | undefined): void {
  for (const form of formsOf(secret ?? '')) setSecret(form);
}

export function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const whole = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), JSON.stringify(secret).slice(1, -1)];
  return [...new Set([...whole, ...lines])].filter((form) => form.trim() !== '');
}

/** Which of the given parameters are secret by their declaration. Whatever fits nowhere is refused later, and is no secret. */
export function secretValues(given: Readonly<Record<string, string>>, deployment: ResolvedDeployment): string[] {
  const { globals, inputs } = sortValues(deployment, given, () => {});
  const isSecret = (spec: ResolvedDeployment['parameters'][string] | undefined): boolean =>
    spec?.secret === true || spec?.type === 'password';
  return [
    ...[...globals].filter(([name]) => isSecret(deployment.parameters[name])),
    ...[...inputs].flatMap(([node, values]) => [...values].filter(([name]) => isSecret(deployment.nodes[node]?.image.parameters[name]))),
  ].map(([, value]) => value);
}
