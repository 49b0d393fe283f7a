import { describe, expect, it } from 'vitest';
import { oidcPolicy, personOf, projectsOf, type OidcPolicy } from './oidc-policy.ts';

const policy = (rest: Partial<OidcPolicy> = {}): OidcPolicy =>
  oidcPolicy.parse({ issuer: 'https://id.example.org', url: 'https://p.example.org', clientId: 'paceline', user: 'email', ...rest });

describe('whoever logs in by OpenID Connect', () => {
  it('has the roles that the rules say, the highest where there are several', () => {
    const { roles } = policy({
      roles: [
        { claim: 'groups', value: 'shop', project: 'shop', role: 'deployer' },
        { claim: 'groups', value: 'leads', project: 'shop', role: 'admin' },
        { claim: 'realm_access.roles', value: 'ops', project: '*', role: 'operator' },
        { project: 'lab', role: 'viewer' },
      ],
    });
    const rightsOf = (claims: object) => Object.fromEntries(personOf({ user: 'email', roles }, { email: 'a@x.org', ...claims }).grants);
    expect(rightsOf({})).toEqual({ lab: 'viewer' });
    expect(rightsOf({ groups: ['leads', 'shop'] })).toEqual({ lab: 'viewer', shop: 'admin' });
    expect(rightsOf({ groups: 'shop', realm_access: { roles: ['ops'] } })).toEqual({ lab: 'viewer', shop: 'deployer', '*': 'operator' });
    expect(rightsOf({ 'realm_access.roles': ['ops'] })).toEqual({ lab: 'viewer', '*': 'operator' });
    expect(rightsOf({ groups: [{ shop: true }, 7], realm_access: null })).toEqual({ lab: 'viewer' });
    expect(projectsOf({ roles })).toEqual(new Set(['shop', '*', 'lab']));
  });

  it.each([
    [{}],
    [{ email: 7 }],
    [{ email: '' }],
    [{ email: 'a b' }],
    [{ email: 'github:octo/app (1)' }],
    [{ email: 'user:default/alice via backstage' }],
    [{ email: 'a@x.org', email_verified: false }],
  ])('is nobody with %j', (claims) => {
    expect(() => personOf(policy(), claims)).toThrow(expect.objectContaining({ code: 'PACELINE_FORBIDDEN' }));
  });

  it('is named by the claim that the policy says', () => {
    expect(personOf(policy({ user: 'sub' }), { sub: 'alice', email: 'b@x.org' }).name).toBe('alice');
    expect(personOf(policy({ user: 'constructor' }), { constructor: 'bob' }).name).toBe('bob');
    expect(() => personOf(policy({ user: 'constructor.name' }), {})).toThrow('names no user');
  });
});
