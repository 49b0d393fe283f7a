import { randomUUID } from 'node:crypto';
import { everyProject, type BuildRequest, type CreatedRun } from '@paceline/api';
import { PacelineError, planRun, withDigests } from '@paceline/model';
import type { ConnectorContext, ConnectorLog } from '../connector/index.ts';
import type { WantedRun } from '../engine/requested-run.ts';
import type { Clouds } from '../launch/clouds.ts';
import { place } from '../placement/place.ts';
import type { RunStore } from '../store/run-store.ts';
import type { BuiltImage } from './image-store.ts';
import { demandingNothing, digestToBuild } from './plan-images.ts';

export interface BuiltImagesPorts {
  store: RunStore;
  clouds: Clouds;
  log: ConnectorLog;
  now: () => number;
  createRun: (request: WantedRun, by: string) => Promise<CreatedRun>;
}

/** The longest that the removal of one image may take, in milliseconds. */
const removeLimitMs = 5 * 60_000;

/** The image factory: what is built once is not built again. */
export class BuiltImages {
  readonly #ports: BuiltImagesPorts;

  constructor(ports: BuiltImagesPorts) {
    this.#ports = ports;
  }

  /**
   * The image of a module on a cloud, when it is built; otherwise the run that builds it. It is given no parameters, as none of
   * them counts for what is in the image, and is of no single project, so that only who has a role on the server reaches its machine.
   * @throws PACELINE_REQUEST_INVALID for what cannot be built, PACELINE_CLOUD_UNKNOWN
   */
  async build({ deployment, cloud }: BuildRequest, by: string): Promise<{ image: BuiltImage } | { created: CreatedRun }> {
    const { clouds, store, createRun, now } = this.#ports;
    const asked = cloud === undefined ? {} : { cloud };
    const plan = place(planRun(demandingNothing(withDigests(deployment)), { knownClouds: clouds.names, ...asked }), clouds.names);
    const key = digestToBuild(plan, clouds);
    const image = await store.images.find(key.cloud, key.digest);
    if (image === undefined) {
      const wanted: WantedRun = { id: randomUUID(), deployment, ...asked, project: everyProject, build: true };
      return { created: await createRun(wanted, by) };
    }
    await store.images.touch(image, now());
    return { image };
  }

  list(): Promise<BuiltImage[]> {
    return this.#ports.store.images.list();
  }

  /** @param text a name, or the beginning of a digest. @throws PACELINE_NOT_FOUND, PACELINE_CONFLICT when it can mean several */
  async find(text: string): Promise<BuiltImage> {
    const found = (await this.list()).filter(({ image, digest }) => image === text || digest.startsWith(text));
    const [first] = found;
    if (first === undefined || text === '')
      throw new PacelineError('PACELINE_NOT_FOUND', `There is no built image ${text}`, { hint: '`paceline images` shows all.' });
    if (found.length === 1) return first;
    throw new PacelineError('PACELINE_CONFLICT', `${text} can mean ${found.map(({ image }) => image).join(', ')}`, {
      hint: 'Give its whole name.',
    });
  }

  /** A pinned image is not removed. */
  async pin(text: string, pinned: boolean): Promise<BuiltImage> {
    const image = await this.find(text);
    await this.#ports.store.images.pin(image, pinned);
    return { ...image, pinned };
  }

  /**
   * Deletes an image on its cloud, with its snapshot, and forgets it: first nobody boots it any more.
   * @throws PACELINE_CONFLICT while it is pinned, PACELINE_CLOUD_FAILED, with the image kept, when the cloud does not delete it
   */
  async remove(text: string): Promise<void> {
    const image = await this.find(text);
    const { store, clouds } = this.#ports;
    if (image.pinned)
      throw new PacelineError('PACELINE_CONFLICT', `${image.image} is pinned`, { hint: 'Take the pin away first: `--unpin`.' });
    const { connector } = clouds.get(image.cloud);
    await store.images.remove(image);
    try {
      await connector.remove?.(
        { kind: 'image', id: image.resource, name: image.image, owner: { engine: '', run: image.run } },
        this.#context(),
      );
    } catch (cause) {
      await store.images.put(image);
      throw new PacelineError(
        'PACELINE_CLOUD_FAILED',
        `${image.cloud} does not delete ${image.image}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }

  #context(): ConnectorContext {
    const { log, now } = this.#ports;
    return { signal: AbortSignal.timeout(removeLimitMs), log, now };
  }
}
