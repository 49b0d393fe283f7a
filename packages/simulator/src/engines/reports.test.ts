import { ReportFiles } from '@paceline/engine';
import { expect, test } from 'vitest';
import { SimulatedReports } from './reports.ts';

test('no report comes near a real disk, whose answers come when they like', () => {
  const simulated = Object.getOwnPropertyNames(SimulatedReports.prototype);
  expect(simulated).toEqual(expect.arrayContaining(Object.getOwnPropertyNames(ReportFiles.prototype)));
});
