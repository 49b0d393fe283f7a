import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Answer, Command } from './members.ts';

export interface MemberProcess {
  ask(command: Command): Promise<Answer>;
  /** The next message without asking: a wait says twice where it is, registered and woken. */
  next(): Promise<Answer>;
  stop(): void;
}

export function startMembers(): MemberProcess {
  const child = fork(join(import.meta.dirname, 'members.ts'), [], {
    execArgv: ['--conditions=@paceline/source', '--disable-warning=ExperimentalWarning'],
  });
  const next = async (): Promise<Answer> => ((await once(child, 'message')) as [Answer])[0];
  return {
    next,
    ask(command) {
      const answer = next();
      child.send(command);
      return answer;
    },
    stop: () => void child.kill(),
  };
}
