import { expect, test } from 'vitest';
import { stillCounts, type Trial } from './accelerator.ts';

const here = { boot: 'b', emulator: '/usr/bin/qemu 1 2026-01-01' };
const minute = 60_000;
const failed: Trial = { ...here, at: 0, accelerator: 'tcg', why: 'a small guest was not through in 8 s' };
const passed: Trial = { ...failed, accelerator: 'kvm', why: 'a guest ran on it' };

test('KVM that has worked works until the host or QEMU is another', () => {
  expect(stillCounts(passed, here, 1000 * minute)).toBe(true);
  expect(stillCounts(passed, { ...here, boot: 'another' }, 0)).toBe(false);
  expect(stillCounts(passed, { ...here, emulator: '/usr/bin/qemu 2 2026-02-02' }, 0)).toBe(false);
});

test('KVM that has failed is tried again after a while, since the host may have been busy', () => {
  expect(stillCounts(failed, here, 14 * minute)).toBe(true);
  expect(stillCounts(failed, here, 16 * minute)).toBe(false);
  // The clock was set back.
  expect(stillCounts(failed, here, -1)).toBe(false);
});
