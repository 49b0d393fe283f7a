import type { RunDetail } from '@paceline/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Person } from '../support/command.ts';
import { Visitors } from '../support/visitors.ts';
import { clouds, leaveNothing, personWith } from './connectors/clouds.ts';

let person: Person;
beforeEach(async () => {
  person = await personWith({ local: { connector: 'local' } });
});
afterEach(() => leaveNothing(person));

async function only(): Promise<RunDetail> {
  return JSON.parse((await person.type(['status', '--json'])).stdout) as RunDetail;
}

async function scale(...change: string[]): Promise<void> {
  const scaled = await person.type(['scale', ...change]);
  expect(scaled.code, scaled.stdout + scaled.stderr).toBe(0);
}

const cases = [
  { cloud: 'local', why: undefined },
  { cloud: 'lxd', why: clouds.lxd.why },
];

describe.each(cases)('$cloud', ({ cloud, why }) => {
  it(`load-balanced grows and shrinks on ${cloud} under load, and no request is lost`, async ({ skip }) => {
    skip(why !== undefined, why);
    const up = await person.type(['up', 'examples/load-balanced', '--cloud', cloud, '-p', 'webs=2']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    const run = await only();
    await using visitors = new Visitors(run.serviceUrl ?? '', 4);
    await visitors.until((seen) => seen.size === 2);

    await scale('web', '+2');
    await visitors.until((seen) => [1, 2, 3, 4].every((id) => seen.has(`Hello from web.${id}`)));
    await scale(run.id, 'web', '-1');
    await scale('web', '--remove', '1,2');
    visitors.forget();
    await visitors.until((seen) => seen.has('Hello from web.3'));
    expect([...visitors.seen]).toEqual(['Hello from web.3']);
    await scale('web', '=2');
    await visitors.until((seen) => seen.has('Hello from web.5'));
    expect(visitors.lost).toEqual([]);

    const { instances, state } = await only();
    expect([state, instances.map(({ name }) => name)]).toEqual(['Ready', ['front.1', 'web.3', 'web.5']]);
    expect((await person.type(['get', 'web.1:scale.state'])).stdout).toBe('gone\n');
    const wrong = await person.type(['scale', 'web', '-9']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('web has 2 machines')]);
    await visitors.stop();
    expect((await person.type(['down'])).code).toBe(0);
  }, 600_000);
});
