import { expect, test } from 'vitest';
import { checkMemory } from './host-memory.ts';

const host = (freeMiB: number, totalMiB: number) => ({ free: freeMiB * 2 ** 20, total: totalMiB * 2 ** 20 });

test('machines are begun while there is memory for them', () => {
  checkMemory({}, host(64, 1000));
  // It is a limit, and taken only when it is used.
  checkMemory({ memoryMiB: 1000 }, host(64, 1000));
});

test.each([
  [{ memoryMiB: 1001 }, host(900, 1000), 'A machine is to have 1001 MiB of memory, and this host has 1000 MiB in all'],
  [{}, host(63, 1000), 'This host has 63 MiB of memory left, and machines need at least 64 to boot'],
])('a lack of memory is a lack of capacity, and said', (request, has, message) => {
  expect(() => checkMemory(request, has)).toThrow(expect.objectContaining({ code: 'capacity', message }) as Error);
});
