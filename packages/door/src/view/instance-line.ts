import type { InstanceView, RunDetail } from '@paceline/api';
import { harmlessLine } from './harmless.ts';
import type { Colour, Line, Piece } from './theme.ts';
import { padTo, widthOf } from './width.ts';

/** One word for where an instance is, and its colour. */
export function statusOf(instance: InstanceView): { word: string; colour: Colour } {
  const { stage, dropped, abort, step, complete } = instance;
  if (stage === 'gone') return { word: 'gone', colour: 'dim' };
  if (stage === 'leaving') return { word: 'leaving', colour: 'dim' };
  if (dropped) return { word: 'dropped', colour: 'red' };
  if (abort !== null) return { word: 'aborted', colour: 'red' };
  if (stage !== 'joined') return { word: stage, colour: 'yellow' };
  if (step !== null) return { word: harmlessLine(step), colour: 'cyan' };
  return complete ? { word: 'done', colour: 'green' } : { word: 'joined', colour: 'plain' };
}

/** How much an instance deserves to be looked at; 0 when it is as all the others. */
export function interestOf(instance: InstanceView): number {
  const { abort, fault, dropped, stage, connected, blockedIn } = instance;
  if (stage === 'gone') return 0;
  if (abort !== null || dropped) return 4;
  if (fault !== null) return 3;
  if (stage === 'joined' && !connected) return 2;
  return blockedIn.length > 0 ? 1 : 0;
}

export interface Columns {
  name: number;
  address: number;
  word: number;
}

export function columnsOf(instances: readonly InstanceView[]): Columns {
  const widest = (texts: string[]): number => texts.reduce((most, text) => Math.max(most, widthOf(text)), 0);
  return {
    name: widest(instances.map(({ name }) => name)),
    address: widest(instances.map(({ address }) => address ?? '')),
    word: widest(instances.map((instance) => statusOf(instance).word)),
  };
}

/** An instance: name, address, status, and what there is to say about it. */
export function instanceLine(instance: InstanceView, columns: Columns): Line {
  const { word, colour } = statusOf(instance);
  const pieces: Piece[] = [padTo(instance.name, columns.name), '  '];
  if (columns.address > 0) pieces.push(['dim', padTo(harmlessLine(instance.address ?? ''), columns.address)], '  ');
  pieces.push([colour, padTo(word, columns.word)]);
  for (const remark of remarksOf(instance)) pieces.push('  ', remark);
  return pieces;
}

function remarksOf({ name, abort, fault, message, blockedIn, connected, stage }: InstanceView): Piece[] {
  const remarks: Piece[] = [];
  if (abort !== null) remarks.push(['red', harmlessLine(abort)]);
  if (fault !== null && abort === null) remarks.push(['red', harmlessLine(fault)]);
  if (stage === 'joined' && !connected) remarks.push(['yellow', 'no connection']);
  if (message !== '') remarks.push(harmlessLine(message));
  if (blockedIn.length > 0) remarks.push(['dim', `waits for ${blockedIn.map((key) => harmlessLine(withoutOwn(key, name))).join(', ')}`]);
  return remarks;
}

/** An instance's own parameters are known by their names alone. */
function withoutOwn(key: string, instance: string): string {
  return key.startsWith(`${instance}:`) ? key.slice(instance.length + 1) : key;
}

/** How far the run's present state has got, as `done of all`; undefined in states that nobody has to complete. */
export function progressOf({ state, instances }: RunDetail): { done: number; all: number } | undefined {
  const waited = instances.filter(({ dropped }) => !dropped);
  const count = (isDone: (instance: InstanceView) => boolean): { done: number; all: number } => ({
    done: waited.filter(isDone).length,
    all: waited.length,
  });
  if (state === 'Provisioning') return count(({ stage, address }) => stage === 'joined' && address !== null);
  if (state === 'Executing' || state === 'SendingReports') return count(({ complete }) => complete);
  if (state === 'Finalizing') return { done: instances.filter(({ stage }) => stage === 'gone').length, all: instances.length };
  return undefined;
}
