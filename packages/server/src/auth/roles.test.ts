import { projectRoles, type ProjectRole } from '@paceline/api';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bounded, grantViews, includes, projectsWith, roleIn } from './roles.ts';

const role = fc.constantFrom(...projectRoles);
const project = fc.constantFrom('*', 'web', 'lab', 'shop');
const grants = fc.array(fc.tuple(project, role)).map((pairs) => new Map(pairs));
const one = (...pairs: [string, ProjectRole][]) => ({ grants: new Map(pairs) });

describe('a role', () => {
  it('in all projects counts in each, unless there is a higher one', () => {
    expect(roleIn(one(['*', 'viewer'], ['web', 'operator']), 'web')).toBe('operator');
    expect(roleIn(one(['*', 'admin'], ['web', 'viewer']), 'web')).toBe('admin');
    expect(roleIn(one(['*', 'viewer']), 'lab')).toBe('viewer');
    expect(roleIn(one(['web', 'admin']), 'lab')).toBeUndefined();
    expect(roleIn(one(['web', 'admin']), '*')).toBeUndefined();
  });

  it('includes those below it', () => {
    expect(projectRoles.map((held) => projectRoles.map((needed) => includes(held, needed)))).toEqual([
      [true, false, false, false],
      [true, true, false, false],
      [true, true, true, false],
      [true, true, true, true],
    ]);
  });

  it('is listed by project', () => {
    expect(projectsWith(one(['web', 'viewer'], ['lab', 'operator']), 'deployer')).toEqual(['lab']);
    expect(projectsWith(one(['*', 'operator'], ['lab', 'viewer']), 'deployer')).toBeUndefined();
    expect(grantViews(one(['web', 'viewer'], ['*', 'admin']).grants)).toEqual([
      { project: '*', role: 'admin' },
      { project: 'web', role: 'viewer' },
    ]);
  });
});

describe('a bounded token', () => {
  it('never allows more than its user or its bounds', () => {
    fc.assert(
      fc.property(grants, fc.option(role), fc.option(fc.constantFrom('web', 'lab')), project, role, (held, most, only, where, needed) => {
        const allowed = includes(roleIn({ grants: bounded(held, { role: most, project: only }) }, where), needed);
        if (!allowed) return;
        expect(includes(roleIn({ grants: held }, where), needed)).toBe(true);
        if (most !== null) expect(includes(most, needed)).toBe(true);
        if (only !== null) expect(where).toBe(only);
      }),
    );
  });

  it('without bounds allows what its user may', () => {
    fc.assert(
      fc.property(grants, project, (held, where) => {
        expect(roleIn({ grants: bounded(held, { role: null, project: null }) }, where)).toBe(roleIn({ grants: held }, where));
      }),
    );
  });
});
