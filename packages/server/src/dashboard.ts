import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { PacelineError } from '@paceline/model';

/** A file of the pages, ready to be sent. */
export interface Asset {
  type: string;
  bytes: Buffer;
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The built pages for browsers: one document, and assets whose names say what is in them. They are small and stay in memory. */
export class Dashboard {
  readonly page: Buffer;
  readonly #assets: ReadonlyMap<string, Asset>;

  constructor(page: Buffer, assets: ReadonlyMap<string, Asset>) {
    this.page = page;
    this.#assets = assets;
  }

  /** @throws PACELINE_INTERNAL when the folder is not a built dashboard */
  static async open(path: string): Promise<Dashboard> {
    try {
      const assets = join(path, 'assets');
      const names = (await readdir(assets)).filter((name) => Object.hasOwn(types, extname(name)));
      const files = names.map(
        async (name) => [name, { type: types[extname(name)] ?? '', bytes: await readFile(join(assets, name)) }] as const,
      );
      return new Dashboard(await readFile(join(path, 'index.html')), new Map(await Promise.all(files)));
    } catch (cause) {
      throw new PacelineError('PACELINE_INTERNAL', `There is no dashboard in ${path}`, { cause, hint: 'Install paceline again.' });
    }
  }

  asset(name: string): Asset | undefined {
    return this.#assets.get(name);
  }
}
