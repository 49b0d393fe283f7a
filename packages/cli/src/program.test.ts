import { expect, test } from 'vitest';
import { isCommanderError, program } from './program.ts';
import { recorder, type Recorder } from './testing/recorder.ts';

async function run(...args: string[]): Promise<Recorder> {
  const shell = recorder();
  await program(shell, () => {})
    .parseAsync(args, { from: 'user' })
    .catch((error: unknown) => {
      if (!isCommanderError(error)) throw error;
    });
  return shell;
}

test('help lists the commands', async () => {
  const text = (await run('--help')).out();
  const commands = text
    .slice(text.indexOf('Modules:'))
    .match(/^ {2}\S+/gm)
    ?.map((name) => name.trim());
  expect(commands?.join(' ')).toMatchInlineSnapshot(
    `"init validate plan import export publish modules up status list logs events get set reports scale abort cancel-abort down ssh console build images server engine user token clouds reap connector help"`,
  );
});

test('every command has an example, and its examples are of itself', async () => {
  for (const command of program(recorder(), () => {}).commands) {
    const text = (await run(command.name(), '--help')).out();
    expect(text, command.name()).toContain(`\n  $ paceline ${command.name()}`);
    expect(text, command.name()).toContain('Global Options:');
  }
});

test('mistakes are told with what was probably meant', async () => {
  expect((await run('statsu')).err()).toMatchInlineSnapshot(`
    "error: unknown command 'statsu'
    (Did you mean status?)
    "
  `);
  expect((await run('up', 'x', '--keep-running', 'maybe')).err()).toMatchInlineSnapshot(`
    "error: option '--keep-running <policy>' argument 'maybe' is invalid. Allowed choices are always, on-success, on-error, never.
    "
  `);
  expect((await run('up')).err()).toMatchInlineSnapshot(`
    "error: missing required argument 'file'
    "
  `);
});
