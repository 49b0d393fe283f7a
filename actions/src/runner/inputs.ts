import { durationOf, parameterPair, parametersOf } from '@paceline/door';
import { PacelineError, suggest } from '@paceline/model';

/** The inputs of a step, as the runner gives them: `INPUT_NAME`. */
export class Inputs {
  readonly #values: ReadonlyMap<string, string>;

  constructor(env: NodeJS.ProcessEnv) {
    const given = Object.entries(env).flatMap(([name, value]): [string, string][] =>
      name.startsWith('INPUT_') ? [[name.slice('INPUT_'.length).toLowerCase(), (value ?? '').trim()]] : [],
    );
    this.#values = new Map(given);
  }

  /** What was given that the action does not know, with what may have been meant. */
  unknown(known: readonly string[]): string[] {
    return [...this.#values.keys()]
      .filter((name) => !known.includes(name))
      .map((name) => `There is no input '${name}'. ${suggest(name, known) ?? ''}`.trim());
  }

  /** The text of an input; undefined when it is empty or was not given. */
  text(name: string): string | undefined {
    const value = this.#values.get(name) ?? '';
    return value === '' ? undefined : value;
  }

  /** @throws PACELINE_REQUEST_INVALID when it is not given */
  needed(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new PacelineError('PACELINE_REQUEST_INVALID', `The input '${name}' is missing`);
    return value;
  }

  /** @throws PACELINE_REQUEST_INVALID */
  flag(name: string): boolean {
    return this.choice(name, ['true', 'false'] as const, 'false') === 'true';
  }

  /** @throws PACELINE_REQUEST_INVALID */
  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const value = this.text(name) ?? otherwise;
    const found = choices.find((choice) => choice === value.toLowerCase());
    if (found !== undefined) return found;
    throw new PacelineError('PACELINE_REQUEST_INVALID', `The input '${name}' is '${value}'`, { hint: `It can be ${choices.join(', ')}.` });
  }

  /** What is given with commas or line breaks in between. */
  list(name: string): string[] {
    return (this.text(name) ?? '')
      .split(/[,\n]/)
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }

  /** In milliseconds. @throws PACELINE_REQUEST_INVALID */
  duration(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : durationOf(`The input '${name}'`, text);
  }

  /** Parameters: lines of `NAME=VALUE`, or YAML. @throws PACELINE_REQUEST_INVALID */
  parameters(name: string): Record<string, string> {
    const text = this.text(name) ?? '';
    const lines = text.split('\n').map((line) => line.trim());
    const written = lines.filter((line) => line !== '' && !line.startsWith('#'));
    if (!written.every((line) => /^[\w.:-]+=/.test(line))) return parametersOf(text, `The input '${name}'`);
    return Object.fromEntries(written.map(parameterPair));
  }
}
