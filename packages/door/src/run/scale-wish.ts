import type { ScaleBody } from '@paceline/api';
import { PacelineError, parseSize } from '@paceline/model';

/** How people say what they want of the machines of a node. */
export interface ScaleWords {
  /** `+2`, `-2` or `=5`. */
  change?: string | undefined;
  /** `1,3`: the numbers of instances. */
  remove?: string | undefined;
  /** How many new machines may fail. */
  tolerate?: string | undefined;
  cpus?: string | undefined;
  /** Such as `4GiB`. */
  memory?: string | undefined;
  /** Such as `10GiB`. */
  attachDisk?: string | undefined;
  /** The device of a disk that was attached. */
  detachDisk?: string | undefined;
  /** Which instances are altered; all when left out. */
  ids?: string | undefined;
}

/** How the words are asked for: as options of a command, or as inputs of an action. */
export type ScaleStyle = 'options' | 'inputs';

/** @throws PACELINE_REQUEST_INVALID when it does not say exactly one thing, in the words of those who are to mend it */
export function scaleWish(node: string, words: ScaleWords, style: ScaleStyle = 'options'): ScaleBody {
  const { change, remove, cpus, memory, attachDisk, detachDisk } = words;
  const asked = new Asked(style);
  const resizes = cpus !== undefined || memory !== undefined;
  const said = [change !== undefined, remove !== undefined, resizes, attachDisk !== undefined, detachDisk !== undefined];
  if (said.filter(Boolean).length !== 1)
    throw asked.refusal('Say one thing: a change of the number, which instances go, another size, or a disk');
  const counts = change?.startsWith('-') === false;
  if (words.tolerate !== undefined && !counts) throw asked.refusal(`${asked.name('tolerate')} is about machines that come`);
  if (words.ids !== undefined && (change !== undefined || remove !== undefined))
    throw asked.refusal(`${asked.name('ids')} is about a size or a disk: ${asked.name('remove')} says which machines go`);
  if (remove !== undefined) return { node, removeIds: asked.numbers('remove', remove) };
  if (attachDisk !== undefined) return { node, attachDisk: asked.gibibytes('attachDisk', attachDisk), ...asked.ids(words) };
  if (detachDisk !== undefined) return { node, detachDisk, ...asked.ids(words) };
  if (change === undefined) return resizeWish(node, words, asked);
  const [, sign, digits] = /^([+=-])(\d{1,6})$/.exec(change) ?? [];
  if (sign === undefined) throw asked.refusal(`'${change}' is not a change of the number of machines`);
  const count = Number(digits);
  if (sign === '-') return { node, remove: count };
  const tolerate = words.tolerate === undefined ? {} : { tolerate: asked.number('tolerate', words.tolerate) };
  return sign === '+' ? { node, add: count, ...tolerate } : { node, count, ...tolerate };
}

function resizeWish(node: string, words: ScaleWords, asked: Asked): ScaleBody {
  const { cpus, memory } = words;
  const memoryMiB = memory === undefined ? undefined : parseSize(memory, 'MiB');
  if (memory !== undefined && memoryMiB === undefined) throw asked.refusal(`${asked.name('memory')}: '${memory}' is not a size`);
  return {
    node,
    resize: { ...(cpus === undefined ? {} : { cpus: asked.number('cpus', cpus) }), ...(memoryMiB === undefined ? {} : { memoryMiB }) },
    ...asked.ids(words),
  };
}

/** Reads what was asked for, and names it as whoever asks does. */
class Asked {
  readonly #style: ScaleStyle;

  constructor(style: ScaleStyle) {
    this.#style = style;
  }

  name(word: keyof ScaleWords): string {
    const written = word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return this.#style === 'options' ? `--${written}` : `The input '${written}'`;
  }

  numbers(word: keyof ScaleWords, text: string): number[] {
    return text.split(',').map((part) => this.number(word, part.trim()));
  }

  number(word: keyof ScaleWords, text: string): number {
    if (/^\d{1,6}$/.test(text)) return Number(text);
    throw this.refusal(`${this.name(word)}: '${text}' is not a number`);
  }

  /** Clouds give out disks in whole ones: a part of one counts as one. */
  gibibytes(word: keyof ScaleWords, text: string): number {
    const size = parseSize(text, 'GiB');
    if (size !== undefined) return size;
    throw this.refusal(`${this.name(word)}: '${text}' is not a size`);
  }

  ids({ ids }: ScaleWords): { ids?: number[] } {
    return ids === undefined ? {} : { ids: this.numbers('ids', ids) };
  }

  refusal(message: string): PacelineError {
    return new PacelineError('PACELINE_REQUEST_INVALID', message, {
      hint:
        this.#style === 'options'
          ? 'For example `+2`, `-2`, `=5`, `--remove 1,3`, `--cpus 4 --memory 8GiB --ids 1` or `--attach-disk 10GiB`.'
          : 'For example `change: +2`, `change: =5`, `remove: 1,3` `attach-disk: 10GiB`, or `cpus: 4` with `memory: 8GiB` and `ids: 1`.',
    });
  }
}
