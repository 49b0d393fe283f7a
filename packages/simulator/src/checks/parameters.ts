import { createCipher, type ValueCipher } from '@paceline/engine';
import type { System } from '../systems/system.ts';
import type { Checks } from './checks.ts';
import type { StoredChange, StoredRun } from './stored.ts';

/** All that one writer has wanted to be the value of one parameter, numbered from 1. */
interface History {
  key: string;
  issued: number;
  /** The newest that its writer was told is stored. */
  acknowledged: number;
  /** The newest that is stored. */
  stored: number;
  /** Those that took the value away. */
  unsets: Set<number>;
  /** It has several writers, so that any order is right: all that were ever stored. */
  contended: Set<number> | undefined;
}

/** One question for a value. */
export interface Asked {
  /** @param value what came, null for none */
  heard(value: string | null): void;
}

const valuePattern = /^(?<key>[\w.]+:[\w.-]+)#(?<number>\d+)(?: (?<secret>secret))?/;

/**
 * Every value names its parameter and its place in that parameter's history, so that whoever meets one can tell whether it may be
 * there: not lost, not older than what was known, not yet to come, not for these eyes.
 */
export class ParameterChecks {
  readonly #checks: Checks;
  readonly #cipher: ValueCipher;
  readonly #histories = new Map<string, History>();
  /** The newest that each reader has seen. */
  readonly #seen = new Map<string, number>();
  readonly #systems = new Map<string, System>();

  constructor(checks: Checks, key: Buffer) {
    this.#checks = checks;
    this.#cipher = createCipher(key);
  }

  expect(system: System): void {
    this.#systems.set(system.id, system);
  }

  /** From now on several will write it at once. */
  contended(run: string, key: string): void {
    this.#history(run, key).contended ??= new Set();
  }

  isContended(run: string, key: string): boolean {
    return this.#history(run, key).contended !== undefined;
  }

  /** Somebody is about to set it. */
  writing(run: string, key: string, secret: boolean): { number: number; value: string } {
    const number = ++this.#history(run, key).issued;
    return { number, value: `${key}#${number}${secret ? ' secret' : ''}` };
  }

  unsetting(run: string, key: string): number {
    const history = this.#history(run, key);
    history.unsets.add(++history.issued);
    return history.issued;
  }

  /** The writer has heard that it is stored. */
  acknowledged(run: string, key: string, number: number): void {
    const history = this.#history(run, key);
    history.acknowledged = Math.max(history.acknowledged, number);
    // Which of several in a row that take it away was stored cannot be seen: the first may have been lost with its machine.
    if (isAllUnset(history, number)) history.stored = Math.max(history.stored, number);
    if (!hasBeenStored(history, number))
      this.#checks.fail('a parameter that is acknowledged is stored', `${key}#${number} of ${run}, stored is #${history.stored}`);
  }

  /** Somebody is about to ask for it. */
  asking(run: string, reader: string, key: string): Asked {
    const source = this.#sourceOf(run, key);
    const history = this.#history(run, source);
    const { acknowledged } = history;
    const reads = `${run} ${reader} ${source}`;
    return {
      heard: (value) => {
        const least = Math.max(acknowledged, this.#seen.get(reads) ?? 0);
        const number = this.#numberOf(history, value, least);
        if (number === undefined || history.contended !== undefined) return;
        if (number < least || number > history.issued)
          this.#checks.fail(
            'readers see what was acknowledged, and nothing older',
            `${reader} read ${value ?? 'nothing'} as ${key}, but #${least} was there`,
          );
        this.#seen.set(reads, Math.max(number, least));
      },
    };
  }

  heardAll(run: string, node: string, name: string, values: Readonly<Record<string, string>>): void {
    for (const [index, value] of Object.entries(values)) {
      const found = valuePattern.exec(value)?.groups;
      if (found?.['key'] !== `${node}.${index}:${name}`)
        this.#checks.fail('a value is told of the parameter that has it', `${node}.${index}:${name} is ${value} in ${run}`);
    }
  }

  /** An engine tells somebody a value: it has to be stored by then. */
  told(run: string, key: string, value: string | null): void {
    const found = value === null ? undefined : valuePattern.exec(value)?.groups;
    if (found === undefined) return;
    const history = this.#history(run, found['key'] ?? '');
    if (!hasBeenStored(history, Number(found['number'])))
      this.#checks.fail('nobody hears of what is not stored', `${key} = ${value}, stored is #${history.stored}`);
  }

  /** Texts that are about to reach an instance: no secret that is not mapped to it. */
  reaching(run: string, instance: string, text: string): void {
    if (!text.includes(' secret')) return;
    for (const [, key = ''] of text.matchAll(/([\w.]+:[\w.-]+)#\d+ secret/g)) {
      const [owner = '', name = ''] = key.split(':');
      const node = owner.replace(/\.\d+$/, '');
      if (owner === instance) continue;
      const mayKnow = this.#systems.get(run)?.secrets.get(`${node}:${name}`);
      const reader = instance.replace(/\.\d+$/, '');
      if (reader !== node && mayKnow?.has(reader) === true) {
        this.#checks.saw('a secret was told where it is mapped');
        continue;
      }
      this.#checks.fail('a secret reaches only those it is mapped to', `${instance} gets ${key}`);
    }
  }

  stored({ run, events, parameters }: StoredChange): void {
    for (const event of events) {
      if (event.type !== 'parameter.set') continue;
      const { key, value, secret } = event.data;
      if (secret && value !== null && value !== '***') this.#checks.fail('events tell no secrets', JSON.stringify(event));
      const history = this.#histories.get(`${run.id} ${key}`);
      if (history === undefined) continue;
      if (value === null) history.stored = [...history.unsets].find((number) => number > history.stored) ?? history.stored;
      else this.#store(history, value);
    }
    for (const [key, parameter] of parameters) {
      if (parameter === null) continue;
      if (parameter.value.includes(' secret')) this.#checks.fail('secrets are stored under a cipher', `${key} of ${run.id}`);
      const history = this.#histories.get(`${run.id} ${key}`);
      if (history !== undefined) this.#store(history, parameter.secret ? this.#cipher.open(parameter.value) : parameter.value);
    }
  }

  /** The value of a parameter as it is stored, through mappings; undefined when it has none. */
  valueOf(run: StoredRun, key: string): string | undefined {
    const seen = new Set<string>();
    for (let at: string | undefined = key; at !== undefined && !seen.has(at); at = this.#followed(run, at)) {
      seen.add(at);
      const own = run.parameters.get(at);
      if (own !== undefined) return own.value;
    }
    return undefined;
  }

  /** What is waited for, a key or `node.*:name`, has its value or values. */
  isThere(run: StoredRun, wait: string): boolean {
    const [, node, name] = /^(\w+)\.\*:(.+)$/.exec(wait) ?? [];
    if (node === undefined) return this.valueOf(run, wait) !== undefined;
    return membersOf(run, node).every((instance) => this.valueOf(run, `${instance}:${name}`) !== undefined);
  }

  /** Whose it is to set what is waited for, through mappings: instances, or `ss` for any of them. */
  settersOf(run: StoredRun, wait: string): string[] {
    const [, node, name] = /^(\w+)\.\*:(.+)$/.exec(wait) ?? [];
    const keys = node === undefined ? [wait] : membersOf(run, node).map((instance) => `${instance}:${name}`);
    return keys.map((key) => this.#sourceOf(run.id, key).split(':')[0] ?? '');
  }

  #sourceOf(id: string, key: string): string {
    const run = this.#checks.runOf(id);
    let source = key;
    for (let at: string | undefined = key; run !== undefined && at !== undefined; at = this.#followed(run, at)) source = at;
    return source;
  }

  #followed({ plan, instances }: StoredRun, key: string): string | undefined {
    const [owner = '', name = ''] = key.split(':');
    const node = instances.get(owner)?.node;
    return node === undefined ? undefined : plan.nodes[node]?.parameters[name]?.from;
  }

  #numberOf({ key, unsets, acknowledged, stored }: History, value: string | null, least: number): number | undefined {
    if (value !== null) {
      const found = valuePattern.exec(value)?.groups;
      return found?.['key'] === key ? Number(found['number']) : undefined;
    }
    if (least === 0 && acknowledged >= 0) return 0;
    return [...unsets].find((number) => number >= least && number <= stored) ?? 0;
  }

  #store(history: History, value: string): void {
    const found = valuePattern.exec(value)?.groups;
    if (found === undefined) return;
    const number = Number(found['number']);
    if (history.contended !== undefined) return void history.contended.add(number);
    if (found['key'] !== history.key || number < history.stored || number > history.issued)
      this.#checks.fail('what one writer writes is stored in its order', `${history.key} becomes ${value} after #${history.stored}`);
    history.stored = number;
  }

  #history(run: string, key: string): History {
    const id = `${run} ${key}`;
    let history = this.#histories.get(id);
    if (history === undefined) {
      history = { key, issued: 0, acknowledged: 0, stored: 0, unsets: new Set(), contended: undefined };
      this.#histories.set(id, history);
    }
    return history;
  }
}

function membersOf({ instances }: StoredRun, node: string): string[] {
  return [...instances.values()].filter((instance) => instance.node === node && !instance.dropped).map(({ name }) => name);
}

function isAllUnset({ stored, unsets }: History, number: number): boolean {
  for (let each = stored; each <= number; each++) if (!unsets.has(each)) return false;
  return true;
}

function hasBeenStored({ contended, stored }: History, number: number): boolean {
  return contended === undefined ? number <= stored : contended.has(number);
}
