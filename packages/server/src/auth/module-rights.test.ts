import { describe, expect, it } from 'vitest';
import type { PacelineError } from '@paceline/model';
import { checkPublisher } from './module-rights.ts';
import type { Identity } from './roles.ts';

function hintFor(identity: Identity): string | undefined {
  try {
    checkPublisher(identity, 'shop/web');
    return undefined;
  } catch (error) {
    return (error as PacelineError).hint;
  }
}

describe('who may not publish', () => {
  it('is told a name in the own project', () => {
    expect(hintFor({ name: 'alice', grants: new Map([['lab', 'deployer']]) })).toContain('lab/web');
  });

  it('is told what lets a job do so, as no module can be named as its project', () => {
    const name = 'github:octo/app (456789)';
    const hint = hintFor({ name, grants: new Map([[name, 'deployer']]), job: true });
    expect(hint).toContain('operator');
    expect(hint).not.toContain(name);
    expect(hintFor({ name, grants: new Map([['*', 'operator']]), job: true })).toBeUndefined();
  });
});
