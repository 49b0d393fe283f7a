import { randomUUID } from 'node:crypto';
import { everyProject, type BuildRequest, type CreatedRun, type RunDetail } from '@paceline/api';
import { isPacelineError, PacelineError, parseModuleReference, placeRun, planRun, withDigests } from '@paceline/model';
import type { WantedRun } from '../engine/requested-run.ts';
import type { RunStore } from '../store/run-store.ts';
import type { PublishedModule } from '../registry/module-store.ts';
import type { BuiltImage } from './image-store.ts';
import { isBuildOf, usesOf, type ImageUses } from './image-uses.ts';
import { demandingNothing, whatToBuild } from './plan-images.ts';
import { cloudFailed } from './cloud-failed.ts';
import { Removal, type RemovalPorts } from './removal.ts';

export interface BuiltImagesPorts extends RemovalPorts {
  store: RunStore;
  runs: {
    createRun(request: WantedRun, by: string): Promise<CreatedRun>;
    runDetail(id: string): Promise<RunDetail>;
  };
}

/** The image; or the run that builds it, which this request began, or joined. */
export type Build = { image: ListedImage } | { run: RunDetail; joined: boolean };

/** So often in a row somebody else may begin the same build and end it again, before it is taken for a mistake. */
const mostAttempts = 10;

/** An image that was built, and what it is needed for. */
export type ListedImage = BuiltImage & ImageUses;

/** The image factory: what is built once is not built again. */
export class BuiltImages {
  readonly #ports: BuiltImagesPorts;

  constructor(ports: BuiltImagesPorts) {
    this.#ports = ports;
  }

  /**
   * The image of a module on a cloud, when it is built; otherwise the run that builds it, one at a time. It is given no parameters, as
   * none of them counts for what is in the image.
   * @param project whose machines boot the image; `*` for everybody's. Who may reach the machine that it is made of can put anything into it
   * @throws PACELINE_REQUEST_INVALID for what cannot be built, PACELINE_CLOUD_UNKNOWN
   */
  async build({ deployment, cloud, project = everyProject }: BuildRequest, by: string): Promise<Build> {
    const { clouds, store, runs, ...frame } = this.#ports;
    const asked = cloud === undefined ? {} : { cloud };
    const planned = planRun(demandingNothing(withDigests(deployment)), { knownClouds: clouds.names, ...asked });
    const { plan } = placeRun(
      planned,
      clouds.names.map((name) => ({ name })),
    );
    const { cloud: place, build } = await whatToBuild(plan, clouds, frame);
    const key = { cloud: place, digest: build.digest, project };
    for (let attempt = 1; ; attempt++) {
      const image = await store.images.find(key);
      if (image !== undefined && (await this.#isThere(image))) {
        await store.images.touch(image, frame.clock.now());
        return { image: await this.#listed(image) };
      }
      if (image !== undefined) await store.images.lost(image, frame.clock.now());
      const builder = await store.images.builder(key);
      if (builder !== undefined) return { run: await runs.runDetail(builder), joined: true };
      try {
        const wanted: WantedRun = { id: randomUUID(), deployment, cloud: key.cloud, project, build: true };
        return { run: (await runs.createRun(wanted, by)).run, joined: false };
      } catch (error) {
        // Somebody else has begun it at the same moment.
        if (attempt === mostAttempts || !isPacelineError(error) || error.code !== 'PACELINE_CONFLICT') throw error;
      }
    }
  }

  /** The newest first, and what each is needed for. */
  async list(): Promise<ListedImage[]> {
    const { store, clouds } = this.#ports;
    const uses = await usesOf(await store.images.list(), store, clouds);
    return [...uses].map(([image, needed]) => ({ ...image, ...needed }));
  }

  /**
   * @param text a name, or the beginning of a digest
   * @param sees which images count: what is not seen is not there
   * @throws PACELINE_NOT_FOUND, PACELINE_CONFLICT when it can mean several
   */
  async find(text: string, sees = (_image: ListedImage): boolean => true): Promise<ListedImage> {
    const found = (await this.list()).filter((one) => (one.image === text || one.digest.startsWith(text)) && sees(one));
    const [first] = found;
    if (first === undefined || text === '') throw notBuilt(text);
    if (found.length === 1) return first;
    throw new PacelineError('PACELINE_CONFLICT', `${text} can mean ${found.map(({ image }) => image).join(', ')}`, {
      hint: 'Give its whole name.',
    });
  }

  /** A pinned image is not removed. @throws PACELINE_NOT_FOUND when it was removed meanwhile */
  async pin(image: ListedImage, pinned: boolean): Promise<ListedImage> {
    if (!(await this.#ports.store.images.pin(image, pinned))) throw notBuilt(image.image);
    return { ...image, pinned };
  }

  /**
   * Makes the published version that an image was built of the one that a channel means: it was tried, and others may stand on it.
   * @param may whether a module may be promoted: others are not looked at
   * @throws PACELINE_CONFLICT when it is what no published version installs, or what several do
   */
  async promote(built: ListedImage, channel: string, may = (_module: string): boolean => true): Promise<PublishedModule> {
    const { clouds, store } = this.#ports;
    clouds.get(built.cloud);
    const versions: string[] = [];
    for (const { name, version } of await store.modules.images()) {
      if (!may(name)) continue;
      const { deployment } = await store.modules.content({ name, version });
      if (Object.values(deployment.nodes).some(({ image }) => isBuildOf(built, image, clouds))) versions.push(`${name}@${version}`);
    }
    const [only] = versions;
    if (only !== undefined && versions.length === 1) return store.modules.promote(parseModuleReference(only), channel);
    if (only === undefined)
      throw new PacelineError('PACELINE_CONFLICT', `${built.image} is of no published module that you may promote`, {
        hint: 'Publish the module that it was built of, with `paceline publish`: it is not built again.',
      });
    throw new PacelineError('PACELINE_CONFLICT', `${built.image} is what ${versions.join(', ')} install`, {
      hint: `Say which of them: paceline modules ${only} --promote ${channel}`,
    });
  }

  /**
   * Deletes an image on its cloud, with its snapshot, and forgets it: first nobody boots it any more.
   * @throws PACELINE_CONFLICT while it is pinned or needed, PACELINE_CLOUD_FAILED, with the image kept if it is there still, when the cloud does
   * not delete it, PACELINE_REQUEST_INVALID when it never does, PACELINE_CLOUD_ACCOUNT when the image is in another account
   */
  async remove(image: ListedImage): Promise<void> {
    refuseNeeded(image);
    const { store } = this.#ports;
    const removal = await Removal.of(image, this.#ports);
    if (!(await store.images.remove(image)))
      throw new PacelineError('PACELINE_CONFLICT', `${image.image} was pinned or deleted at this moment`, {
        hint: '`paceline images` shows which.',
      });
    try {
      // A run that found it a moment ago is there by now.
      refuseNeeded(await this.#listed(image));
      await removal.carryOut();
    } catch (cause) {
      if (await removal.isLeft()) {
        await store.images.put(image);
        throw isPacelineError(cause) ? cause : cloudFailed(`${image.cloud} does not delete ${image.image}`, cause);
      }
      const hint = '`paceline reap` shows whether anything of it is left, and removes that.';
      throw cloudFailed(`${image.image} is not on ${image.cloud} any more, though it could not be deleted whole`, cause, hint);
    }
  }

  /** Whether its cloud has it still, as far as that says so. */
  #isThere({ cloud, account, image }: BuiltImage): Promise<boolean> {
    return this.#ports.clouds
      .line(cloud)
      .hasImage(this.#ports, account ?? undefined, image)
      .catch((cause: unknown) => {
        throw cloudFailed(`${cloud} does not say whether it has ${image} still`, cause);
      });
  }

  async #listed(image: BuiltImage): Promise<ListedImage> {
    const { store, clouds } = this.#ports;
    const others = (await store.images.list()).filter((one) => one.image !== image.image || one.cloud !== image.cloud);
    const [needed = { channels: [], runs: [] }] = (await usesOf([image, ...others], store, clouds)).values();
    return { ...image, ...needed };
  }
}

function notBuilt(text: string): PacelineError {
  return new PacelineError('PACELINE_NOT_FOUND', `There is no built image ${text}`, { hint: '`paceline images` shows all.' });
}

function refuseNeeded({ image, pinned, channels, runs }: ListedImage): void {
  const refuse = (reason: string, hint: string): never => {
    throw new PacelineError('PACELINE_CONFLICT', `${image} ${reason}`, { hint });
  };
  if (pinned) refuse('is pinned', 'Take the pin away first: `--unpin`.');
  if (channels.length > 0) refuse(`is what ${channels.join(', ')} boots`, 'Promote another version first.');
  if (runs.length > 0)
    refuse(
      `is booted by ${runs.map(({ id }) => id.slice(0, 8)).join(', ')}`,
      'It is kept until these runs have ended: they may add machines.',
    );
}
