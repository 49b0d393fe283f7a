import { isPacelineError, PacelineError } from '@paceline/model';
import { problem } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { problemOf, toPacelineError } from './problem.ts';
import { clientServer, TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open();
});
afterAll(() => server.close());

describe('a refusal', () => {
  it('is a problem document as in RFC 9457, with a code and what to do', async () => {
    const answer = await server.ask('GET', '/api/runs/nothing');
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json(;|$)/);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchInlineSnapshot(`
      {
        "code": "PACELINE_NOT_FOUND",
        "detail": "There is no run nothing",
        "hint": "\`paceline list\` shows all runs.",
        "status": 404,
        "title": "There is no such thing",
        "type": "https://paceline.dev/errors#paceline_not_found",
      }
    `);
  });

  it.each([
    ['no such address', 'GET', '/api/nothing?token=secret', {}, 404, 'PACELINE_NOT_FOUND'],
    ['no such method', 'PATCH', '/api/runs', {}, 404, 'PACELINE_NOT_FOUND'],
    ['no token', 'GET', '/api/runs', { token: null }, 401, 'PACELINE_UNAUTHENTICATED'],
    [
      'broken JSON',
      'POST',
      '/api/runs',
      { payload: '{', headers: { 'content-type': 'application/json' } },
      400,
      'PACELINE_REQUEST_INVALID',
    ],
    ['no body', 'POST', '/api/runs', {}, 400, 'PACELINE_REQUEST_INVALID'],
    [
      'another kind of body',
      'POST',
      '/api/runs',
      { payload: '<a/>', headers: { 'content-type': 'text/xml' } },
      400,
      'PACELINE_REQUEST_INVALID',
    ],
    ['a wrong field', 'GET', '/api/runs?limit=0', {}, 400, 'PACELINE_REQUEST_INVALID'],
    ['an unknown field', 'GET', '/api/runs?limt=1', {}, 400, 'PACELINE_REQUEST_INVALID'],
    ['a broken escape', 'GET', '/api/runs/%E0%A4%A', {}, 400, 'PACELINE_REQUEST_INVALID'],
    ['an endless name', 'GET', `/api/runs/${'x'.repeat(5000)}`, {}, 400, 'PACELINE_REQUEST_INVALID'],
  ] as const)('for %s is one too', async (_what, method, url, options, status, code) => {
    const answer = await server.ask(method, url, options);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json(;|$)/);
    expect(problem.parse(answer.json())).toMatchObject({ status, code, type: `https://paceline.dev/errors#${code.toLowerCase()}` });
    expect(answer.body).not.toContain('secret');
  });
});

describe('a failure that passes', () => {
  it('says when to try again', async () => {
    const failed = new PacelineError('PACELINE_STORE_FAILED', 'not now');
    const reading = vi.spyOn(server.engine, 'listRuns').mockRejectedValueOnce(failed);
    const answer = await server.ask('GET', '/api/runs');
    reading.mockRestore();
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect((await server.ask('GET', '/api/nothing')).headers).not.toHaveProperty('retry-after');
  });
});

describe('a deployment that is not valid', () => {
  it('is refused with what is wrong with it and where', async () => {
    const deployment = await clientServer();
    const { web, client } = deployment.nodes;
    const wrong = {
      ...deployment,
      nodes: {
        web: { ...web, image: { ...web?.image, layers: [{ module: 'web', packages: ['; reboot'], scripts: {} }] } },
        client: { ...client, multiplicity: -1, parameters: { 'web.password': { frm: 'web:password' } } },
        'two words': client,
      },
    };
    const answer = await server.ask('POST', '/api/runs', { payload: { deployment: wrong, tags: 'x' } });
    expect(answer.json<{ detail: string }>().detail.split(', body')).toMatchInlineSnapshot(`
      [
        "body/deployment/nodes/web/image/layers/0/packages/0: must be the name of a package",
        "/deployment/nodes/client/multiplicity: Too small: expected number to be >=0",
        "/deployment/nodes/client/parameters/web.password: must be a value of at most 1048576 characters, an expression, or \`node:parameter\` to follow",
        "/deployment/nodes/two words: must be the name of a node: letters, digits and \`_\`",
        "/tags: Invalid input: expected array, received string",
      ]
    `);
  });

  it('in a thousand places is refused with ten of them', async () => {
    const answer = await server.ask('POST', '/api/runs', {
      payload: {
        deployment: await clientServer(),
        parameters: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`p${index}`, 1])),
      },
    });
    expect(answer.json<{ detail: string }>().detail).toMatch(/^body\/parameters\/p0: .*, and 990 more$/);
  });

  it('but says what digest it has, gets the right one', async () => {
    const deployment = await clientServer();
    const run = await server.run({ deployment: { ...deployment, digest: 'f'.repeat(64) } });
    expect((await server.ask('GET', `/api/runs/${run.id}`)).json()).toMatchObject({ digest: deployment.digest });
  });
});

describe('an error', () => {
  it('of ours stays what it is', () => {
    const error = new PacelineError('PACELINE_CONFLICT', 'not now', { data: { received: 3 } });
    expect(toPacelineError(error)).toBe(error);
    expect(problemOf(error)).toMatchObject({ status: 409, detail: 'not now', received: 3 });
  });

  it('cannot change the fields that every problem has', () => {
    const problem = problemOf(
      new PacelineError('PACELINE_CONFLICT', 'not now', { data: { status: 200, code: 'x', detail: 'y', type: 'z', title: 'w' } }),
    );
    expect(problem).toMatchObject({ status: 409, code: 'PACELINE_CONFLICT', detail: 'not now' });
  });

  it.each([new Error('password=hunter2'), 'text', undefined, null, 7, { statusCode: 500, message: 'x' }])(
    'from inside (%s) is told without its insides',
    (thrown) => {
      const error = toPacelineError(thrown);
      expect(isPacelineError(error) && error.code).toBe('PACELINE_INTERNAL');
      expect(JSON.stringify(problemOf(error))).not.toContain('hunter2');
      expect(error.cause).toBe(thrown);
    },
  );
});
