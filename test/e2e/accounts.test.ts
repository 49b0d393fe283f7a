import { afterAll, beforeAll, expect, it } from 'vitest';
import { Person } from '../support/command.ts';

let person: Person;
beforeAll(async () => {
  person = await Person.arrive();
});
afterAll(() => person.leave());

it('users get roles and tokens by the command, and what they may not do is refused', async () => {
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await person.type(args);
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout.trim();
  };
  expect(await run('user', 'add', 'alice', '--role', 'deployer', '--project', 'shop')).toBe('alice  deployer in shop');
  expect(await run('user', 'grant', 'alice', '--role', 'viewer', '--project', '*')).toBe('alice  viewer everywhere, deployer in shop');
  expect(await run('user', 'revoke', 'alice')).toBe('alice  deployer in shop');
  const token = await run('token', 'create', 'laptop', '--user', 'alice', '--expires', '12h');
  expect(token).toMatch(/^plt_[0-9a-f]{16}_[\w-]{32}$/);
  const listed = await run('token', 'list');
  expect(listed).toMatch(/^[0-9a-f]{16} {2}alice {2}laptop {2}good until \d{4}-\d\d-\d\d$/);

  const [, server = ''] = /^(\S+)/.exec(await run('engine', 'status')) ?? [];
  const asAlice = (...args: string[]) => person.type([...args, '--server', server, '--token', token]);
  expect(await asAlice('list')).toMatchObject({ code: 0 });
  expect(await asAlice('user', 'list')).toMatchObject({ code: 5, stderr: expect.stringContaining('alice is no admin of any project') });
  expect(await asAlice('token', 'create', 'more', '--expires', 'never')).toMatchObject({ code: 5 });

  await run('token', 'revoke', listed.slice(0, 16));
  expect(await asAlice('list')).toMatchObject({ code: 5 });
  expect(await person.type(['user', 'add', 'bob', '--role', 'king'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("'king' is no role"),
  });
  await run('user', 'remove', 'alice');
  expect(await run('user', 'list')).toBe('');
});
