#!/usr/bin/env node
import { isCommanderError, program } from './program.ts';
import { processShell } from './shell.ts';

async function main(): Promise<number> {
  const shell = processShell();
  let code = 0;
  try {
    await program(shell, (result) => (code = result)).parseAsync(process.argv);
    return code;
  } catch (error) {
    if (isCommanderError(error)) return error.exitCode === 0 ? 0 : 2;
    const { reportFailure } = await import('./failure.ts');
    return reportFailure(error, shell);
  }
}

process.exitCode = await main();
