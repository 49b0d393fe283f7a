import { expect, test } from 'vitest';
import { Kernel } from './kernel.ts';
import { Process } from './process.ts';

const limits = { ms: 1_000_000, events: 1000 };

function started(): { kernel: Kernel; process: Process; heard: string[] } {
  const kernel = new Kernel();
  return { kernel, process: new Process(kernel, 'engine'), heard: [] };
}

test('nothing reaches a process that is dead: no answer, no timer, nothing from outside', async () => {
  const { kernel, process, heard } = started();
  const answer = process.answer<string>();
  void answer.promise.then((value) => heard.push(value));
  process.after(20, () => heard.push('timer'));
  process.onDeath(() => heard.push('died'));
  kernel.after(10, () => process.kill());
  kernel.after(20, () => {
    answer.resolve('answer');
    process.enter(() => heard.push('entered'));
  });
  await kernel.run(limits);
  expect(heard).toEqual(['died']);
});

test('who sleeps gets everything in order when it wakes up, and takes back what it no longer wants', async () => {
  const { kernel, process, heard } = started();
  process.after(10, () => {
    heard.push('first');
    cancel();
  });
  const cancel = process.after(11, () => heard.push('taken back'));
  process.after(12, () => heard.push('second'));
  kernel.after(5, () => process.pause());
  kernel.after(50, () => heard.push('morning'));
  kernel.after(50, () => process.resume());
  await kernel.run(limits);
  expect(heard).toEqual(['morning', 'first', 'second']);
});

test.each(['before', 'after'] as const)('a process can die right %s one of its effects', (when) => {
  const { process, heard } = started();
  process.doom(2, when);
  expect(process.effect(() => heard.push('one'))).toBeUndefined();
  expect(process.effect(() => heard.push('two'))).toBe(when);
  expect(process.isDead).toBe(true);
  expect(heard).toEqual(when === 'before' ? ['one'] : ['one', 'two']);
});

test('a process can be stopped between one of its effects and the answer', async () => {
  const { kernel, process, heard } = started();
  process.afterEffect(1, () => process.pause());
  const answer = process.answer<string>();
  void answer.promise.then((value) => heard.push(value));
  expect(process.effect(() => heard.push('done'))).toBeUndefined();
  kernel.after(10, () => answer.resolve('heard'));
  kernel.after(20, () => heard.push('morning'));
  kernel.after(20, () => process.resume());
  await kernel.run(limits);
  expect(heard).toEqual(['done', 'morning', 'heard']);
});

test('its clock may be wrong by a fixed time', () => {
  const kernel = new Kernel();
  expect(new Process(kernel, 'fast', 3000).clock.now() - new Process(kernel, 'right').clock.now()).toBe(3000);
});
