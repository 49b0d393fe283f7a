import { expect, test } from 'vitest';
import type * as z from 'zod';
import * as runs from './runs.ts';

const time = '2026-01-01T00:00:00.000Z';
const more = { more: 'of a newer version' };
const summary = {
  id: 'r',
  name: 'n',
  state: 'Ready',
  createdAt: time,
  createdBy: 'me',
  project: 'default',
  endedAt: null,
  tags: [],
  ...more,
};
const instance = {
  name: 'web.1',
  node: 'web',
  index: 1,
  cloud: 'local',
  stage: 'joined',
  machineId: null,
  address: null,
  step: null,
  complete: true,
  message: '',
  abort: null,
  fault: null,
  connected: true,
  blockedIn: [],
  dropped: false,
  disks: [],
  ...more,
};
const detail = {
  ...summary,
  category: 'Deployment',
  module: 'm',
  digest: 'd',
  stateSince: time,
  abort: { reason: 'r', source: 's', at: time, ...more },
  outcome: null,
  keepRunning: 'never',
  scalable: false,
  scaling: null,
  nodes: [{ name: 'web', image: 'web', needs: [], ...more }],
  expiresAt: time,
  serviceUrl: null,
  instances: [instance],
  waits: [{ instance: 'web.1', key: 'ss:a', from: ['ss'], ...more }],
  lastEvent: 1,
};
const parameter = { key: 'ss:a', value: null, secret: false, ...more };
const event = { seq: 1, at: time, type: 't', severity: 'info', message: 'm', data: {}, ...more };
const log = { seq: 1, at: time, instance: 'web.1', source: 's', stream: 'stdout', text: '', ...more };
const report = { name: 'n', instance: 'web.1', bytes: 1, sha256: '', at: time, ...more };

test.each<[string, z.ZodType, object]>([
  ['a list of runs', runs.runList, { runs: [summary], ...more }],
  ['a run', runs.runDetail, detail],
  ['a new run', runs.createdRun, { run: detail, token: 't', ...more }],
  ['parameters', runs.parameterList, { parameters: [parameter], ...more }],
  ['events', runs.eventList, { events: [event], ...more }],
  ['logs', runs.logList, { logs: [log], ...more }],
  ['reports', runs.reportList, { reports: [report], ...more }],
  ['the server', runs.serverInfo, { name: 'paceline', version: '', clouds: [], ...more }],
  ['a problem', runs.problem, { type: '', title: '', status: 400, detail: '', code: '', ...more }],
])('what a newer server says of %s is understood', (_what, schema, answer) => {
  expect(schema.safeParse(answer).error).toBeUndefined();
});

test.each<[string, z.ZodType, object]>([
  ['a parameter', runs.parameterWrite, { value: 'v', secert: true }],
  ['an abort', runs.abortRequest, { reason: 'r', sorce: 's' }],
])('what a request says of %s is taken at its word', (_what, schema, request) => {
  expect(schema.safeParse(request).error?.issues).toMatchObject([{ code: 'unrecognized_keys' }]);
});
