import { connectLater } from '../connection/connect-later.ts';
import { moduleToRun } from '../run/run-request.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';

export interface PublishOptions extends GlobalOptions {
  as?: string;
  comment?: string;
  commit?: string;
  json?: boolean;
}

/** `paceline publish`: a version of a module, whole, for everybody who can reach the server. */
export async function publishCommand([file = '.']: string[], options: PublishOptions, shell: Shell): Promise<number> {
  const connected = connectLater(options, shell);
  const deployment = await moduleToRun(file, shell, connected);
  const client = await connected();
  const { as: name, comment, commit } = options;
  const published = await client.modules.publish({
    deployment,
    ...(name === undefined ? {} : { name }),
    ...(comment === undefined ? {} : { comment }),
    ...(commit === undefined ? {} : { commit }),
  });
  const isOther = (comment ?? published.comment) !== published.comment || (commit ?? published.commit) !== published.commit;
  if (isOther) say(shell, `${published.name}@${published.version} is this already, and keeps its comment and commit`);
  shell.stdout.write(options.json === true ? `${JSON.stringify(published)}\n` : `${published.name}@${published.version}\n`);
  return 0;
}
