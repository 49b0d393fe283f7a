import { expect, it } from 'vitest';
import { pageAt, pathsAt } from './pages.tsx';

it('finds the page of each of its addresses', () => {
  const root = '/a/paceline';
  const paths = pathsAt(root);
  const found = (path: string) => pageAt(path.slice(root.length));
  expect(found(root)).toEqual({ page: 'runs' });
  expect(found(paths.runs)).toEqual({ page: 'runs' });
  expect(found(paths.run('3f2a/1 ä'))).toEqual({ page: 'run', id: '3f2a/1 ä' });
  expect(found(paths.apps)).toEqual({ page: 'apps' });
  expect(found(paths.app('shop/web@3'))).toEqual({ page: 'app', id: 'shop/web@3' });
  expect(found(paths.clouds)).toEqual({ page: 'clouds' });
  expect(found(`${root}/runs/%`)).toEqual({ page: 'run', id: '%' });
  for (const path of ['/users', '/runs/1/2', '/clouds/1']) expect(pageAt(path)).toEqual({ page: 'unknown' });
});
