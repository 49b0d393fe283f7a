import { expect, test } from 'vitest';
import { parseOptions, replayCommand } from './options.ts';

test('a command that replays is understood as what it was made of', () => {
  const command = replayCommand(77, ['engine.kill', 'cloud.hidden'], 2);
  expect(command).toBe('npm run simulate -- --runs 1 --seed 77 --without engine.kill,cloud.hidden --systems 2');
  const options = parseOptions(command.split(' ').slice(4));
  expect(options).toMatchObject({ runs: 1, seed: 77, without: ['engine.kill', 'cloud.hidden'], systems: 2 });
});

test('what is not given has a default', () => {
  expect(parseOptions([])).toEqual({ runs: 1000, seed: 1, workers: 2, trace: false, without: [], systems: undefined });
});

test.each([
  [['--runs', 'many'], '--runs must be a whole number, not many'],
  [['--seed', '-1'], "Option '--seed' argument is ambiguous"],
  [['--without', 'rain'], 'there is no kind of faults rain'],
  [['--unknown'], "Unknown option '--unknown'"],
])('%s is refused', (argv, message) => {
  expect(() => parseOptions(argv)).toThrow(message);
});
