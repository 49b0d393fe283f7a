import { everyProject, type ImagesClient, type ImageView } from '@paceline/api';
import { dayAndTime, durationOf, harmlessLine } from '@paceline/door';
import { isPacelineError, PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';

export interface ImagesOptions extends GlobalOptions {
  pin?: boolean;
  unpin?: boolean;
  promote?: string;
  delete?: boolean;
  ageOut?: string;
  json?: boolean;
}

/** `paceline images`: what is built; one is pinned, promoted, or deleted with its snapshot. */
export async function imagesCommand([name]: string[], options: ImagesOptions, shell: Shell): Promise<number> {
  const { pin, unpin, promote, delete: remove } = options;
  const wishes = [pin, unpin, promote, remove].filter((wish) => wish !== undefined).length;
  if (wishes > 1 || (wishes === 1) !== (name !== undefined))
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'Name one image and one thing to do with it', {
      hint: 'For example `paceline images 3f2a --pin`.',
    });
  const { images } = await connect(options, shell);
  if (name !== undefined && remove === true) await images.remove(name);
  else if (name !== undefined && promote !== undefined) await images.promote(name, promote);
  else if (name !== undefined) await images.pin(name, pin === true);
  const failures = options.ageOut === undefined ? [] : await ageOut(images, shell.now() - durationOf('--age-out', options.ageOut), shell);
  const all = await images.list();
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ images: all })}\n`);
  else
    for (const one of all) {
      const { cloud, image, digest, module, usedAt } = one;
      const words = [cloud, image, digest.slice(0, 12), module, dayAndTime(usedAt), notesOn(one).join(', ')];
      shell.stdout.write(`${words.map(harmlessLine).join('  ').trimEnd()}\n`);
    }
  const [first] = failures;
  if (first === undefined) return 0;
  throw new PacelineError(first.code, failures.map(({ message }) => message).join('\n'), {
    hint: 'These images are still there; the others have been seen to. Try again later.',
  });
}

/**
 * Removes what nobody has used since then. One that stays keeps nobody from the others.
 * @param since milliseconds since the epoch
 * @returns why some could not be removed; not those that somebody needs by now
 * @throws PACELINE_UNREACHABLE, when there is no server to ask for the next one
 */
async function ageOut(images: ImagesClient, since: number, shell: Shell): Promise<PacelineError[]> {
  const old = (await images.list()).filter(
    (image) => Date.parse(image.usedAt) < since && image.changeable && !image.pinned && !image.needed,
  );
  const failures: PacelineError[] = [];
  for (const { image } of old) {
    try {
      await images.remove(image);
    } catch (error) {
      if (!isPacelineError(error) || error.code === 'PACELINE_UNREACHABLE') throw error;
      if (error.code === 'PACELINE_CONFLICT') say(shell, harmlessLine(`${image} stays: ${error.message}`));
      // Somebody else was faster.
      else if (error.code !== 'PACELINE_NOT_FOUND') failures.push(error);
    }
  }
  return failures;
}

function notesOn({ project, pinned, lostAt, channels, runs }: ImageView): string[] {
  return [
    ...(project === everyProject ? [] : [`for ${project}`]),
    ...(lostAt === null ? [] : ['not there any more']),
    ...(pinned ? ['pinned'] : []),
    ...channels,
    ...runs.map((run) => `run ${run.slice(0, 8)}`),
  ];
}
