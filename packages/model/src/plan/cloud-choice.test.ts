import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cloudsNamed, parseCloudChoice } from './cloud-choice.ts';

test.each([
  ['lab', { kind: 'order', clouds: ['lab'], by: 'preference' }],
  ['any', { kind: 'order', clouds: ['one', 'two'], by: 'preference' }],
  ['any:price', { kind: 'order', clouds: ['one', 'two'], by: 'price' }],
  ['two,any:spread', { kind: 'order', clouds: ['two', 'one'], by: 'spread' }],
  ['lab,any,lab', { kind: 'order', clouds: ['lab', 'one', 'two'], by: 'preference' }],
  [
    'lab*30+aws-paris',
    {
      kind: 'shares',
      shares: [
        { cloud: 'lab', count: 30 },
        { cloud: 'aws-paris', count: 1 },
      ],
    },
  ],
])('%s', (text, choice) => {
  expect(parseCloudChoice(text, ['one', 'two'])).toEqual(choice);
});

test.each([
  '',
  ',',
  'lab,',
  'lab+',
  'lab*0',
  'lab*1.5',
  'lab*3,aws',
  'lab aws',
  '*3',
  '__proto__',
  'any:',
  'any:cheap',
  'lab:price,aws',
  'lab*3:spread',
])('%j is no choice', (text) => {
  expect(parseCloudChoice(text, [])).toBeUndefined();
});

test('whatever is written is understood quickly or not at all, and names what it chooses', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-c,+*0-9]*(:price|:spread|:)?$/)), (text) => {
      const choice = parseCloudChoice(text, []);
      if (choice === undefined) return;
      const chosen = choice.kind === 'order' ? choice.clouds : choice.shares.map(({ cloud }) => cloud);
      expect(new Set(cloudsNamed(text).filter((cloud) => cloud !== 'any'))).toEqual(new Set(chosen.filter((cloud) => cloud !== 'any')));
    }),
  );
});
