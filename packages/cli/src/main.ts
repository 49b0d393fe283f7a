#!/usr/bin/env node
import { isCommanderError, program } from './program.ts';
import { processShell, say } from './shell.ts';

const oldestNode = 24;

async function main(): Promise<number> {
  const shell = processShell();
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < oldestNode) {
    say(shell, `error: paceline needs Node.js ${oldestNode} or newer, this is ${node} (${process.execPath})`);
    return 70;
  }
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
