import type { EventView, LogView, ParameterView } from '@paceline/api';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instance } from '../testing/fixtures.ts';
import { safeUrl } from './actions.tsx';
import { linesOf } from './log-lines.ts';
import { rowsOf } from './parameter-groups.ts';
import { spansOf } from './spans.ts';
import { columnsOf, lookOf, summaryOf } from './stage.ts';

describe('an instance', () => {
  it.each([
    [{ stage: 'wanted' }, 'waiting'],
    [{ stage: 'booting' }, 'starting'],
    [{}, 'working'],
    [{ blockedIn: ['web.1:ready'] }, 'blocked'],
    [{ complete: true, blockedIn: ['web.1:ready'] }, 'complete'],
    [{ complete: true, abort: 'no' }, 'failed'],
    [{ fault: 'quota' }, 'failed'],
    [{ stage: 'gone', complete: true }, 'gone'],
  ] as const)('that is %j looks %s', (more, look) => {
    expect(lookOf(instance('web.1', { ...more, blockedIn: 'blockedIn' in more ? [...more.blockedIn] : [] }))).toBe(look);
  });

  it('is counted with the others', () => {
    const all = [instance('a.1', { complete: true }), instance('a.2', { complete: true }), instance('a.3', { abort: 'x' })];
    expect(summaryOf([])).toBe('no machines');
    expect(summaryOf(all)).toBe('2 complete, 1 failed');
  });
});

describe('the graph', () => {
  const node = (name: string, ...needs: string[]) => ({ name, image: name, needs });
  const names = (columns: ReturnType<typeof columnsOf>) => columns.map((column) => column.map(({ name }) => name));

  it('has each node behind all that it needs', () => {
    expect(names(columnsOf([node('client', 'web'), node('web', 'db'), node('db'), node('monitor')]))).toEqual([
      ['db', 'monitor'],
      ['web'],
      ['client'],
    ]);
  });

  it('has every node once, also when they need each other', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const nodes = fc.uniqueArray(fc.record({ name, image: name, needs: fc.uniqueArray(name) }), { selector: (each) => each.name });
    fc.assert(
      fc.property(nodes, (all) => {
        expect(
          columnsOf(all)
            .flat()
            .map((each) => each.name)
            .toSorted(),
        ).toEqual(all.map((each) => each.name).toSorted());
      }),
    );
  });
});

describe('output', () => {
  const piece = (seq: number, text: string, more: Partial<LogView> = {}): LogView => ({
    seq,
    at: '2026-11-21T12:00:00.000Z',
    instance: 'web.1',
    source: 'deploy-0',
    stream: 'stdout',
    text,
    ...more,
  });

  it('is cut into lines, each from one machine', () => {
    const lines = linesOf([piece(1, 'one\ntw'), piece(2, 'other\n', { instance: 'web.2' }), piece(3, 'o\n\nend')]);
    expect(lines.map(({ instance: of, text }) => `${of}: ${text}`)).toEqual([
      'web.1: one',
      'web.1: two',
      'web.2: other',
      'web.1: ',
      'web.1: end',
    ]);
  });

  it('loses nothing, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'bc', '\n', 'd\ne', '')), (parts) => {
        const text = linesOf(parts.map((part, index) => piece(index + 1, part))).map((line) => line.text);
        expect(text.join('\n')).toBe(parts.join('').replace(/\n$/, ''));
      }),
    );
  });

  it('moves no cursor and sets no colour', () => {
    expect(linesOf([piece(1, '\u001b[31mred\u001b[0m\u001b]0;title\u0007!\n')]).map(({ text }) => text)).toEqual(['red!']);
  });
});

describe('parameters', () => {
  const all: ParameterView[] = [
    { key: 'web.10:port', value: '1', secret: false },
    { key: 'web.2:port', value: null, secret: false },
    { key: 'ss:state', value: 'Ready', secret: false },
    { key: 'web.2:host', value: 'h', secret: false },
  ];

  it('are under their groups, those of the run first, in the order of their numbers', () => {
    expect(rowsOf(all, { text: '', withUnset: true }).map((row) => (row.kind === 'group' ? row.key : `- ${row.name}`))).toEqual([
      'The run',
      '- state',
      'web.2',
      '- port',
      '- host',
      'web.10',
      '- port',
    ]);
  });

  it('are found by name or value, without those that have none unless they are asked for', () => {
    expect(rowsOf(all, { text: 'READY', withUnset: false })).toHaveLength(2);
    expect(rowsOf(all, { text: 'port', withUnset: false }).map(({ key }) => key)).toEqual(['web.10', 'web.10:port']);
  });
});

describe('the timeline', () => {
  it('has one span for each state, up to now', () => {
    const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
    const event = (second: number, state: string): EventView => ({
      seq: second,
      at: at(second),
      type: 'run.state',
      severity: 'info',
      message: '',
      data: { state },
    });
    const spans = spansOf({ createdAt: at(0), endedAt: null }, [event(2, 'Provisioning'), event(5, 'Ready')], Date.parse(at(9)));
    expect(spans.map(({ state, start, end }) => [state, (end - start) / 1000])).toEqual([
      ['Initializing', 2],
      ['Provisioning', 3],
      ['Ready', 4],
    ]);
  });
});

describe('the address of a service', () => {
  it.each([
    ['http://127.0.0.1:8080/x', 'http://127.0.0.1:8080/x'],
    ['javascript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['nothing', undefined],
    [null, undefined],
  ])('%s can be opened: %s', (text, url) => {
    expect(safeUrl(text)).toBe(url);
  });
});
