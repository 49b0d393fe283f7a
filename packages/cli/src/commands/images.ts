import { dayAndTime, durationOf, harmlessLine } from '@paceline/door';
import { PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface ImagesOptions extends GlobalOptions {
  pin?: boolean;
  unpin?: boolean;
  delete?: boolean;
  ageOut?: string;
  json?: boolean;
}

/** `paceline images`: what is built; one is pinned, or deleted with its snapshot. */
export async function imagesCommand([name]: string[], options: ImagesOptions, shell: Shell): Promise<number> {
  const { pin, unpin, delete: remove } = options;
  const wishes = [pin, unpin, remove].filter(Boolean).length;
  if (wishes > 1 || (wishes === 1) !== (name !== undefined))
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'Name one image and one thing to do with it', {
      hint: 'For example `paceline images 3f2a --pin`.',
    });
  const { images } = await connect(options, shell);
  if (name !== undefined && remove === true) await images.remove(name);
  else if (name !== undefined) await images.pin(name, pin === true);
  if (options.ageOut !== undefined) {
    const since = shell.now() - durationOf('--age-out', options.ageOut);
    const old = (await images.list()).filter(({ pinned, usedAt }) => !pinned && Date.parse(usedAt) < since);
    for (const { image } of old) await images.remove(image);
  }
  const all = await images.list();
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ images: all })}\n`);
  else
    for (const { cloud, image, digest, module, usedAt, pinned } of all)
      shell.stdout.write(
        `${[cloud, image, digest.slice(0, 12), module, dayAndTime(usedAt), pinned ? 'pinned' : ''].map(harmlessLine).join('  ').trimEnd()}\n`,
      );
  return 0;
}
