import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CreatedRun } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentOf } from '../support/recipes.ts';
import { System, type SystemRun } from '../support/system.ts';

let system: System;
let run: SystemRun;
let token: string;
beforeAll(async () => {
  system = await System.start();
  // The abort below stops the script for good; the machine is to stay all the same.
  const deployment = await deploymentOf(
    {
      web: {
        parameters: { port: { type: 'integer', default: 80 }, go: {}, note: {} },
        scripts: { deploy: 'ss-get --timeout 0 --ignore-abort go' },
      },
    },
    { keepRunning: 'always' },
  );
  const created = await system.call<CreatedRun>('POST', '/api/runs', { deployment });
  token = created.token;
  run = system.run(created.run.id);
  await run.reaches('Executing');
});
afterAll(() => system.close());

/** As old clients called it: curl, with the token as the password of a user whose name does not matter. */
async function curl(path: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('curl', [
    '-s',
    '-u',
    `anybody:${token}`,
    '-H',
    'Accept: text/plain',
    '-w',
    '\n%{http_code}',
    ...args,
    `${system.url}/run/${run.id}${path}`,
  ]);
  return stdout;
}

describe('SlipStream’s text API', () => {
  it('answers GET, PUT and DELETE as SlipStream did', async () => {
    expect(await curl('/web.1:port')).toBe('80\n200');
    expect(await curl('/web.1:note')).toMatch(/\n412$/);
    expect(await curl('/web.1:note', '-X', 'PUT', '--data-binary', 'two\nlines')).toBe('\n200');
    expect(await curl('/web.1:note')).toBe('two\nlines\n200');
    expect(await curl('/web.1:note', '-X', 'DELETE')).toBe('\n204');
    expect(await curl('/web.1:note')).toMatch(/\n412$/);
    expect(await curl('/web.1:nonsense')).toBe('Unknown key web.1:nonsense\n404');
    expect(await curl('/ss:state')).toBe('Executing\n200');
    expect(await curl('/web.1:complete')).toBe('false\n200');
  });

  it('lets only machines complete a state', async () => {
    expect(await curl('/web.1:complete?ignoreabort=true', '-X', 'POST', '-d', 'reset')).toMatch(/\n403$/);
  });

  it('answers 409 while the abort flag is raised, unless that is ignored', async () => {
    await curl('/ss:abort', '-X', 'PUT', '-d', 'a test');
    expect(await curl('/web.1:port')).toBe('Abort flag raised! a test\n409');
    expect(await curl('/web.1:port?ignoreabort=true')).toBe('80\n200');
    expect(await curl('/ss:abort?ignoreabort=true')).toBe('a test\n200');
    expect(await curl('/ss:abort?ignoreabort=true', '-X', 'DELETE')).toBe('\n204');
    expect(await curl('/web.1:port')).toBe('80\n200');
  });

  it('refuses other passwords, and other runs', async () => {
    expect(await curl('/web.1:port', '-u', 'anybody:wrong')).toMatch(/\n401$/);
    expect(await curl('/../00000000-0000-4000-8000-000000000000/web.1:port', '--path-as-is')).toMatch(/\n(401|404)$/);
  });

  it('ends the run, after which keys answer 417', async () => {
    expect(await curl('', '-X', 'DELETE')).toBe('\n204');
    await run.reaches('Cancelled', 'Done');
    expect(await curl('/web.1:port')).toMatch(/\n417$/);
  });
});
