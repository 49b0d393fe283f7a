import { createCipher } from '@paceline/engine';
import { expect, test } from 'vitest';
import { Bench, key, runId } from '../testing/bench.ts';

const ready = 'server.1:ready';

/** Someone writes a parameter, and it is stored. */
function write(bench: Bench, name = ready): number {
  const { number, value } = bench.parameters.writing(runId, name, false);
  bench.commit({ parameters: { [name]: value } });
  return number;
}

test('a parameter that is acknowledged is stored', () => {
  const right = new Bench();
  right.parameters.acknowledged(runId, ready, write(right));
  expect(right.broken).toBeUndefined();
  const wrong = new Bench();
  wrong.parameters.acknowledged(runId, ready, wrong.parameters.writing(runId, ready, false).number);
  expect(wrong.broken).toBe('a parameter that is acknowledged is stored');
});

test('a parameter that is acknowledged is stored, also one of several writers', () => {
  const bench = new Bench();
  bench.parameters.contended(runId, ready);
  const [one, two] = [bench.parameters.writing(runId, ready, false), bench.parameters.writing(runId, ready, false)];
  bench.commit({ parameters: { [ready]: two.value } });
  bench.commit({ parameters: { [ready]: one.value } });
  bench.parameters.acknowledged(runId, ready, two.number);
  expect(bench.broken).toBeUndefined();
  bench.parameters.acknowledged(runId, ready, bench.parameters.writing(runId, ready, false).number);
  expect(bench.broken).toBe('a parameter that is acknowledged is stored');
});

test('a value that is taken away twice has gone once', () => {
  const bench = new Bench();
  write(bench);
  bench.parameters.unsetting(runId, ready);
  const second = bench.parameters.unsetting(runId, ready);
  bench.commit({ parameters: { [ready]: null }, events: [{ type: 'parameter.set', data: { key: ready, value: null, secret: false } }] });
  bench.parameters.acknowledged(runId, ready, second);
  expect(bench.broken).toBeUndefined();
  bench.parameters.writing(runId, ready, false);
  bench.parameters.acknowledged(runId, ready, bench.parameters.unsetting(runId, ready));
  expect(bench.broken).toBe('a parameter that is acknowledged is stored');
});

test('what one writer writes is stored in its order', () => {
  const bench = new Bench();
  const [one, two] = [bench.parameters.writing(runId, ready, false), bench.parameters.writing(runId, ready, false)];
  bench.commit({ parameters: { [ready]: two.value } });
  expect(bench.broken).toBeUndefined();
  bench.commit({ parameters: { [ready]: one.value } });
  expect(bench.broken).toBe('what one writer writes is stored in its order');
});

test.each([
  ['what was acknowledged', 'server.1:ready#1', undefined],
  ['nothing', null, 'readers see what was acknowledged, and nothing older'],
  ['what nobody has written', 'server.1:ready#2', 'readers see what was acknowledged, and nothing older'],
  ['the value of another parameter', 'client.1:ready#1', undefined],
])('a reader sees %s', (_, value, invariant) => {
  const bench = new Bench();
  bench.parameters.acknowledged(runId, ready, write(bench));
  bench.parameters.asking(runId, 'client.1', 'client.1:server.ready').heard(value);
  expect(bench.broken).toBe(invariant);
});

test('a reader sees nothing older than it has seen', () => {
  const bench = new Bench();
  write(bench);
  write(bench);
  const asked = bench.parameters.asking(runId, 'client.1', ready);
  asked.heard(`${ready}#2`);
  expect(bench.broken).toBeUndefined();
  bench.parameters.asking(runId, 'client.1', ready).heard(`${ready}#1`);
  expect(bench.broken).toBe('readers see what was acknowledged, and nothing older');
});

test('a value is told of the parameter that has it', () => {
  const bench = new Bench();
  bench.parameters.heardAll(runId, 'client', 'port', { 1: 'client.1:port#1', 2: 'client.2:port#1' });
  expect(bench.broken).toBeUndefined();
  bench.parameters.heardAll(runId, 'client', 'port', { 1: 'client.2:port#1' });
  expect(bench.broken).toBe('a value is told of the parameter that has it');
});

test('nobody hears of what is not stored', () => {
  const bench = new Bench();
  write(bench);
  bench.parameters.told(runId, ready, `${ready}#1`);
  expect(bench.broken).toBeUndefined();
  bench.parameters.told(runId, ready, bench.parameters.writing(runId, ready, false).value);
  expect(bench.broken).toBe('nobody hears of what is not stored');
});

test('a secret reaches only those it is mapped to', () => {
  const bench = new Bench();
  bench.parameters.reaching(runId, 'server.1', 'server.1:token#1 secret');
  expect(bench.broken).toBeUndefined();
  bench.parameters.reaching(runId, 'client.1', '{"value":"server.1:token#1 secret"}');
  expect(bench.broken).toBe('a secret reaches only those it is mapped to');
});

test('events tell no secrets', () => {
  const event = (value: string) => ({ type: 'parameter.set' as const, data: { key: 'server.1:token', value, secret: true } });
  const bench = new Bench();
  bench.commit({ events: [event('***')] });
  expect(bench.broken).toBeUndefined();
  bench.commit({ events: [event('server.1:token#1 secret')] });
  expect(bench.broken).toBe('events tell no secrets');
});

test('secrets are stored under a cipher', () => {
  const bench = new Bench();
  const { value } = bench.parameters.writing(runId, 'server.1:token', true);
  bench.commit({ parameters: { 'server.1:token': createCipher(key).seal(value) }, sealed: true });
  expect(bench.broken).toBeUndefined();
  bench.commit({ parameters: { 'server.1:token': value } });
  expect(bench.broken).toBe('secrets are stored under a cipher');
});
