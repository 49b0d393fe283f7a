import { setSecret } from '@actions/core';
import type { ResolvedDeployment } from '@paceline/model';

/** Keeps a secret out of the log: as it is, line by line, and in the forms in which programs like to print it. */
export function mask(secret: string | undefined): void {
  for (const form of formsOf(secret ?? '')) setSecret(form);
}

export function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const whole = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), JSON.stringify(secret).slice(1, -1)];
  return [...new Set([...whole, ...lines])].filter((form) => form.trim() !== '');
}

/** Which of the given parameters are secret by their declaration. */
export function secretValues(given: Readonly<Record<string, string>>, { parameters, nodes }: ResolvedDeployment): string[] {
  return Object.entries(given).flatMap(([key, value]) => {
    const [name = '', own] = key.split(':', 2);
    const spec = own === undefined ? parameters[name] : nodes[name]?.image.parameters[own];
    return spec?.secret === true || spec?.type === 'password' ? [value] : [];
  });
}
