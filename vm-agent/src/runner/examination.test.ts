import { describe, expect, test } from 'vitest';
import type { CommandUnderWay } from '../commands/under-way.ts';
import { type Finding, examine } from './examination.ts';
import type { ProcessStatus } from './machine.ts';

const now = 1_000_000;

/** A process of the step, unless it says otherwise: the script was started as 100, and the wrapper's own child is 101. */
function process(pid: number, parent: number, more: Partial<ProcessStatus> = {}): ProcessStatus {
  const step = { name: 'sh', group: 100, session: 100, state: 'S', ticks: '5 0 0 0', threads: 1, startTime: '5000' };
  return { pid, parent, ...step, ...more };
}

const outside = { group: 7, session: 7, startTime: '20' };
const machine = [process(1, 0, outside), process(7, 1, outside), process(50, 7, { ...outside, state: 'R', name: 'agent' })];
const script = [process(100, 50), process(101, 100)];
/** A command that waits, and its curl. */
const command = (pid: number, parent = 101): ProcessStatus[] => [process(pid, parent), process(pid + 1, pid, { name: 'curl' })];

interface World {
  /** What each look finds, the last one from then on. */
  looks: ProcessStatus[][];
  commands?: CommandUnderWay[];
  script?: number | undefined;
  ours?: number[];
  waitsIn?: Record<number, string>;
  sessions?: number[];
  idle?: boolean;
}

async function find({
  looks,
  commands = [{ pid: 200, end: 0 }],
  ours = [],
  waitsIn = {},
  sessions = [],
  idle = false,
  ...more
}: World): Promise<Finding> {
  let look = 0;
  return examine({
    script: 'script' in more ? more.script : 100,
    idle,
    sessions,
    commands,
    table: {
      list: () => [...machine, ...(looks[Math.min(look++, looks.length - 1)] ?? [])],
      isOurs: (pid) => ours.includes(pid),
      waitsIn: (pid) => waitsIn[pid] ?? 'do_wait',
    },
    clock: { now: () => now, sleep: async () => {} },
  });
}

describe('a script that does nothing but wait', () => {
  test.each<[string, World]>([
    ['in one command', { looks: [[...script, ...command(200)]] }],
    ['with a timeout far away', { looks: [[...script, ...command(200)]], commands: [{ pid: 200, end: now + 600_001 }] }],
    ['below other shells', { looks: [[...script, process(102, 101), process(103, 102), ...command(200, 103)]] }],
    [
      'in two commands, one of them in the background',
      {
        looks: [[...script, process(102, 101), ...command(200, 102), ...command(210)]],
        commands: [
          { pid: 200, end: 0 },
          { pid: 210, end: 0 },
        ],
      },
    ],
    ['reads what the command will print', { looks: [[...script, ...command(200)]], waitsIn: { 101: 'anon_pipe_read' } }],
    ['on a kernel that does not say where', { looks: [[...script, ...command(200)]], waitsIn: { 100: '', 101: '0' } }],
    [
      'while the command asks again',
      {
        looks: [
          [...script, process(200, 101, { state: 'R' })],
          [...script, ...command(200)],
        ],
      },
    ],
    [
      'with the command at work',
      {
        looks: [
          [...script, ...command(200)],
          [...script, process(200, 101, { ticks: '9 0 0 0' }), process(299, 200, { state: 'D' })],
        ],
      },
    ],
    ['and has processes of others beside it', { looks: [[...script, ...command(200), process(300, 1, outside)]] }],
    ['listed in any order', { looks: [[...script, ...command(200)].toReversed()] }],
    [
      'in a command, while others call, too',
      {
        looks: [[...script, ...command(200)]],
        commands: [
          { pid: 7, end: 0 },
          { pid: 200, end: 0 },
        ],
      },
    ],
  ])('%s', async (_, world) => {
    expect(await find(world)).toBe('alone');
  });
});

describe('a script that has company', () => {
  const waiting = [...script, ...command(200)];
  test.each<[string, World]>([
    ['a child', { looks: [[...waiting, process(300, 101, { name: 'sleep' })]] }],
    ['a child of its own child', { looks: [[...waiting, process(301, 300), process(300, 101)]] }],
    ['a child in a session of its own', { looks: [[...waiting, process(300, 101, { group: 300, session: 300 })]] }],
    ['an orphan of its group', { looks: [[...waiting, process(300, 1, { session: 9 })]] }],
    ['an orphan of its session', { looks: [[...waiting, process(300, 1, { group: 300 })]] }],
    ['an orphan of neither', { looks: [[...waiting, process(300, 1, { group: 300, session: 300 })]], ours: [300] }],
    ['what an earlier script left behind', { looks: [[...waiting, process(300, 1, { ...outside, session: 90 })]], sessions: [90] }],
    ['nobody who waits', { looks: [script], commands: [] }],
    ['others who wait', { looks: [[...script, process(200, 7, outside)]] }],
    ['a command that nobody knows of', { looks: [[...waiting, ...command(210)]] }],
    ['a script that is stopped', { looks: [[...waiting, process(300, 101, { state: 'T' })]] }],
    ['a second thread', { looks: [[...script, process(102, 101, { name: 'java', threads: 2 }), ...command(200, 102)]] }],
    ['timeout', { looks: [[...script, process(102, 101, { name: 'timeout' }), ...command(200, 102)]] }],
    ...['hrtimer_nanosleep', 'poll_schedule_timeout.constprop.0', 'do_select', 'ep_poll', 'futex_wait_queue'].map(
      (name): [string, World] => [`a clock, in ${name}`, { looks: [waiting], waitsIn: { 101: name } }],
    ),
  ])('%s', async (_, world) => {
    expect(await find(world)).toBe('accompanied');
  });
});

describe('a machine whose work is done', () => {
  const left = (more: Partial<ProcessStatus> = {}): ProcessStatus => process(300, 1, { session: 90, ...more });
  test.each<[string, Finding, World]>([
    ['with nothing left behind', 'alone', { looks: [[]] }],
    ['with a daemon in the session of a script', 'accompanied', { looks: [[left()]], sessions: [90] }],
    ['with a daemon that is known by its environment', 'accompanied', { looks: [[left()]], ours: [300] }],
    ['with a daemon that is at work', 'busy', { looks: [[left()], [left({ ticks: '9 0 0 0' })]], sessions: [90] }],
    ['with processes of others', 'alone', { looks: [[left()]] }],
  ])('%s is %s', async (_what, finding, world) => {
    expect(await find({ ...world, script: undefined, idle: true })).toBe(finding);
  });
});

describe('a script that is busy, or may be', () => {
  const waiting = [...script, ...command(200)];
  const child = (more: Partial<ProcessStatus> = {}): ProcessStatus[] => [...waiting, process(300, 101, more)];
  test.each<[string, World]>([
    ['none is under way', { looks: [waiting], script: undefined }],
    ['its process is gone', { looks: [machine] }],
    ['it goes in the middle', { looks: [waiting, []] }],
    ['a process runs', { looks: [child({ state: 'R' })] }],
    ['a process runs later', { looks: [child(), child({ state: 'R' })] }],
    ['a process waits for a disk', { looks: [child({ state: 'D' })] }],
    ['an orphan runs', { looks: [[...waiting, process(300, 1, { group: 300, session: 300, state: 'R' })]], ours: [300] }],
    ['a process had the processor', { looks: [child(), child({ ticks: '5 0 1 0' })] }],
    ['the script had it', { looks: [waiting, [process(100, 50), process(101, 100, { ticks: '5 0 1 0' }), ...command(200)]] }],
    ['a process comes', { looks: [waiting, child()] }],
    ['a process goes', { looks: [child(), waiting] }],
    ['a wait ends before long', { looks: [waiting], commands: [{ pid: 200, end: now + 600_000 }] }],
    ['a wait should have ended', { looks: [waiting], commands: [{ pid: 200, end: now - 1 }] }],
    ['a command is about to be answered', { looks: [waiting], commands: [{ pid: 200, end: undefined }] }],
    [
      'somebody else on the machine waits for a while',
      {
        looks: [waiting],
        commands: [
          { pid: 200, end: 0 },
          { pid: 9999, end: now + 5000 },
        ],
      },
    ],
  ])('%s', async (_, world) => {
    expect(await find(world)).toBe('busy');
  });

  test('processes cannot be listed', async () => {
    const table = {
      list: (): never => {
        throw new Error('no /proc');
      },
      isOurs: () => false,
      waitsIn: () => '',
    };
    const clock = { now: () => now, sleep: async (): Promise<void> => {} };
    expect(await examine({ script: 100, idle: false, sessions: [], commands: [{ pid: 200, end: 0 }], table, clock })).toBe('busy');
  });

  test('what was there before it is none of its own', async () => {
    const older = process(300, 1, { ...outside, state: 'R' });
    expect(await find({ looks: [[...waiting, older]], ours: [300] })).toBe('alone');
  });
});
