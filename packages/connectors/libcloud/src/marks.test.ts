import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failureProgram } from './programs/failure-program.ts';
import { marksProgram } from './programs/marks-program.ts';
import { scratch } from './testing/python.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Marks machines by their names and reads them again, with and without what was noted of them. */
const roundTrip = `
from types import SimpleNamespace
marks, given = InName(sys.argv[1]), json.load(sys.stdin)
def seen(name):
    tags = marks.read(SimpleNamespace(name=name))
    return [tags, is_of(tags, {key: one[key] for key in ("engine", "run", "token")}), is_of(tags, {**one, "engine": one["engine"] + "x"})]
found = []
for one in given:
    name, _ = marks.mark(one)
    whole = seen(name)
    marks.forget(SimpleNamespace(name=name))
    found.append([name, whole, seen(name)])
json.dump(found, sys.stdout)
`;

const tags = fc.record({
  engine: fc.string({ maxLength: 80 }),
  run: fc.uuid(),
  node: fc.string({ maxLength: 63 }),
  token: fc.string({ unit: fc.constantFrom('0', '7', 'a', 'f'), minLength: 32, maxLength: 32 }),
  index: fc.nat({ max: 1_000_000 }),
  name: fc.string({ maxLength: 63 }),
  login: fc.option(fc.string()),
  created: fc.constant('2026-11-21T12:00:00+00:00'),
  expires: fc.date({ min: new Date('2026-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
});

test.skipIf(!hasPython)('a name of a machine says whose it is, also when nothing else does', () => {
  const given = fc.sample(tags, 200);
  const ran = spawnSync('python3', ['-c', `${failureProgram}${marksProgram}${roundTrip}`, scratch()], {
    input: JSON.stringify(given),
    encoding: 'utf8',
  });
  expect(ran.stderr).toBe('');
  const found = JSON.parse(ran.stdout) as [string, Seen, Seen][];
  expect(new Set(found.map(([name]) => name)).size).toBe(given.length);
  for (const [at, [name, whole, bare]] of found.entries()) {
    const one = given[at];
    expect(name).toMatch(/^[a-z][0-9a-z-]{1,62}$/);
    expect(whole).toEqual([one, true, false]);
    expect(bare[0]).toMatchObject({ run: one?.run, index: one?.index });
    expect(Math.abs(Date.parse(bare[0].expires) - Date.parse(one?.expires ?? ''))).toBeLessThan(1000);
    expect(bare.slice(1)).toEqual([true, false]);
  }
});

type Seen = [tags: { run: string; index: number; expires: string }, isOfItsOwner: boolean, isOfAnother: boolean];
