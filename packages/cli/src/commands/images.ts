import { everyProject, type ImageView } from '@paceline/api';
import { dayAndTime, durationOf, harmlessLine } from '@paceline/door';
import { PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

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
  if (options.ageOut !== undefined) {
    const since = shell.now() - durationOf('--age-out', options.ageOut);
    const old = (await images.list()).filter(
      (image) => Date.parse(image.usedAt) < since && image.changeable && !image.pinned && !image.needed,
    );
    for (const { image } of old) await images.remove(image);
  }
  const all = await images.list();
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ images: all })}\n`);
  else
    for (const one of all) {
      const { cloud, image, digest, module, usedAt } = one;
      const words = [cloud, image, digest.slice(0, 12), module, dayAndTime(usedAt), notesOn(one).join(', ')];
      shell.stdout.write(`${words.map(harmlessLine).join('  ').trimEnd()}\n`);
    }
  return 0;
}

function notesOn({ project, pinned, channels, runs }: ImageView): string[] {
  return [
    ...(project === everyProject ? [] : [`for ${project}`]),
    ...(pinned ? ['pinned'] : []),
    ...channels,
    ...runs.map((run) => `run ${run.slice(0, 8)}`),
  ];
}
