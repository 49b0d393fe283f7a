import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobClaims } from '../testing/github-issuer.ts';
import { githubPolicy, roleOf } from './github-policy.ts';

const audience = 'https://paceline.example.org';
const policy = (...allow: object[]) => githubPolicy.parse({ audience, allow });

describe('a rule', () => {
  it.each([
    ['the repository', { repository: 'octo/app' }, {}, 'deployer'],
    ['another repository', { repository: 'octo/app' }, { repository: 'octo/other' }, undefined],
    ['one that only begins alike', { repository: 'octo/app' }, { repository: 'octo/application' }, undefined],
    ['any repository of an owner', { repository: 'octo/*' }, {}, 'deployer'],
    ['an owner whose name only begins alike', { repository: 'octo/*' }, { repository: 'octopus/app' }, undefined],
    ['the number of a repository, whatever its name', { repositoryId: '456789' }, { repository: 'x/y' }, 'deployer'],
    ['a repository that took over the name', { repository: 'octo/app', repositoryId: '456789' }, { repository_id: '9' }, undefined],
    ['a ref', { owner: 'octo', ref: 'refs/heads/main' }, {}, 'deployer'],
    ['another ref', { owner: 'octo', ref: 'refs/heads/main' }, { ref: 'refs/heads/main2' }, undefined],
    ['one of several refs', { owner: 'octo', ref: ['refs/tags/v*', 'refs/heads/*'] }, {}, 'deployer'],
    ['an environment', { owner: 'octo', environment: 'production' }, { environment: 'production' }, 'deployer'],
    ['no environment where one is wanted', { owner: 'octo', environment: '*' }, {}, undefined],
    ['a workflow', { owner: 'octo', workflow: 'octo/app/.github/workflows/*@refs/heads/main' }, {}, 'deployer'],
    ['a role', { owner: 'octo', role: 'operator' }, {}, 'operator'],
    ['a pull request from strangers', { owner: 'octo' }, { event_name: 'pull_request_target' }, undefined],
    ['one that is let in by name', { owner: 'octo', event: 'pull_request_target' }, { event_name: 'pull_request_target' }, 'deployer'],
  ])('about %s', (_what, rule, claims, role) => {
    expect(roleOf(policy(rule), { ...jobClaims, ...claims })).toBe(role);
  });

  it('that comes first counts', () => {
    const rules = policy({ repository: 'octo/app', ref: 'refs/heads/main', role: 'operator' }, { owner: 'octo' });
    expect(roleOf(rules, jobClaims)).toBe('operator');
    expect(roleOf(rules, { ...jobClaims, ref: 'refs/heads/x' })).toBe('deployer');
  });

  it.each([
    ['nobody', { allow: [] }],
    ['everybody', { allow: [{ ref: 'refs/heads/main' }] }],
    ['a misspelt condition', { allow: [{ repository: 'octo/app', reff: 'x' }] }],
    ['an unknown role', { allow: [{ owner: 'octo', role: 'root' }] }],
    ['an issuer in the clear', { allow: [{ owner: 'octo' }], issuer: 'http://tokens.example.org' }],
  ])('is refused when it lets in %s', (_what, given) => {
    expect(githubPolicy.safeParse({ audience, ...given }).success).toBe(false);
  });

  it('matches as a regular expression would', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '/', '*'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        text.filter((pattern) => pattern !== ''),
        text,
        (pattern, actual) => {
          const expected = new RegExp(`^${pattern.split('*').join('[^]*')}$`).test(actual);
          expect(roleOf(policy({ owner: pattern }), { ...jobClaims, repository_owner: actual }) !== undefined).toBe(expected);
        },
      ),
    );
  });
});
