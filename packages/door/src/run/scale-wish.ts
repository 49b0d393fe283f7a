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

/** @throws PACELINE_REQUEST_INVALID when it does not say exactly one thing */
export function scaleWish(node: string, words: ScaleWords): ScaleBody {
  const { change, remove, cpus, memory, attachDisk, detachDisk } = words;
  const resizes = cpus !== undefined || memory !== undefined;
  if (
    [change !== undefined, remove !== undefined, resizes, attachDisk !== undefined, detachDisk !== undefined].filter(Boolean).length !== 1
  )
    throw refusal('Say one thing: a change of the number, which instances go, another size, or a disk');
  if (remove !== undefined) return { node, removeIds: numbers('--remove', remove) };
  if (attachDisk !== undefined) return { node, attachDisk: gibibytes('--attach-disk', attachDisk), ...idsOf(words) };
  if (detachDisk !== undefined) return { node, detachDisk, ...idsOf(words) };
  if (change === undefined) return resizeWish(node, words);
  const [, sign, digits] = /^([+=-])(\d{1,6})$/.exec(change) ?? [];
  if (sign === undefined) throw refusal(`'${change}' is not a change of the number of machines`);
  const count = Number(digits);
  if (sign === '-') return { node, remove: count };
  const tolerate = words.tolerate === undefined ? {} : { tolerate: number('--tolerate', words.tolerate) };
  return sign === '+' ? { node, add: count, ...tolerate } : { node, count, ...tolerate };
}

function resizeWish(node: string, words: ScaleWords): ScaleBody {
  const { cpus, memory } = words;
  const memoryMiB = memory === undefined ? undefined : parseSize(memory, 'MiB');
  if (memory !== undefined && memoryMiB === undefined) throw refusal(`--memory: '${memory}' is not a size`);
  return {
    node,
    resize: { ...(cpus === undefined ? {} : { cpus: number('--cpus', cpus) }), ...(memoryMiB === undefined ? {} : { memoryMiB }) },
    ...idsOf(words),
  };
}

function idsOf({ ids }: ScaleWords): { ids?: number[] } {
  return ids === undefined ? {} : { ids: numbers('--ids', ids) };
}

/** Clouds give out disks in whole ones: a part of one counts as one. */
function gibibytes(option: string, text: string): number {
  const size = parseSize(text, 'GiB');
  if (size !== undefined) return size;
  throw refusal(`${option}: '${text}' is not a size`);
}

function numbers(option: string, text: string): number[] {
  return text.split(',').map((part) => number(option, part.trim()));
}

function number(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw refusal(`${option}: '${text}' is not a number`);
}

function refusal(message: string): PacelineError {
  return new PacelineError('PACELINE_REQUEST_INVALID', message, {
    hint: 'For example `+2`, `-2`, `=5`, `--remove 1,3`, `--cpus 4 --memory 8GiB --ids 1` or `--attach-disk 10GiB`.',
  });
}
