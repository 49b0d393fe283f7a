import { isPacelineError } from '@paceline/model';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { bearerOf } from './bearer.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the token of a request', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    [basic('user:abc'), 'abc'],
    [basic(':abc'), 'abc'],
    [basic('user:a:b:c'), 'a:b:c'],
    [basic('abc'), 'abc'],
    [undefined, undefined],
    ['', undefined],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Basic', undefined],
    [basic('user:'), undefined],
    ['Digest abc', undefined],
    ['abc', undefined],
  ])('of %j is %j', (authorization, token) => {
    const request = { headers: { authorization } } as FastifyRequest;
    let found: string | undefined;
    try {
      found = bearerOf(request);
    } catch (error) {
      expect(isPacelineError(error) && error.code).toBe('PACELINE_UNAUTHENTICATED');
    }
    expect(found).toBe(token);
  });
});
