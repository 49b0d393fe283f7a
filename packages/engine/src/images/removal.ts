import { PacelineError } from '@paceline/model';
import type { CallFrame } from '../launch/call-limit.ts';
import type { CloudLine } from '../launch/cloud-line.ts';
import type { Clouds } from '../launch/clouds.ts';
import { cloudFailed } from './cloud-failed.ts';
import type { BuiltImage } from './image-store.ts';

export interface RemovalPorts extends CallFrame {
  clouds: Clouds;
  engineId: string;
}

/** The deletion of one image on its cloud, in the account that it is in. */
export class Removal {
  readonly #image: BuiltImage;
  readonly #ports: RemovalPorts;
  readonly #line: CloudLine;
  readonly #account: string | undefined;

  private constructor(image: BuiltImage, ports: RemovalPorts, line: CloudLine, account: string | undefined) {
    this.#image = image;
    this.#ports = ports;
    this.#line = line;
    this.#account = account;
  }

  /**
   * Deletes nothing yet.
   * @throws PACELINE_CLOUD_UNKNOWN, PACELINE_REQUEST_INVALID when the cloud deletes no images, PACELINE_CLOUD_ACCOUNT when its credentials
   * lead elsewhere, PACELINE_CLOUD_FAILED when it does not say where
   */
  static async of(image: BuiltImage, ports: RemovalPorts): Promise<Removal> {
    const { cloud, image: name, account } = image;
    const line = ports.clouds.line(cloud);
    if (line.connector.remove === undefined)
      throw new PacelineError('PACELINE_REQUEST_INVALID', `The connector of ${cloud} cannot delete ${name}`, {
        hint: `Use a version of ${line.connector.info.name} that can remove images.`,
      });
    const present = await line.account(ports).catch((cause: unknown) => {
      throw cloudFailed(`${cloud} does not say in which account it is, and ${name} is kept`, cause);
    });
    if (account !== null && account !== present)
      throw new PacelineError(
        'PACELINE_CLOUD_ACCOUNT',
        `The credentials for ${cloud} lead to ${present ?? 'no account'}, and ${name} is in ${account}`,
        {
          hint: `Give the cloud ${cloud} credentials of ${account}.`,
        },
      );
    return new Removal(image, ports, line, present);
  }

  /** @throws ConnectorError */
  async carryOut(): Promise<void> {
    const { resource: id, image: name, run } = this.#image;
    const owner = { engine: this.#ports.engineId, run };
    await this.#line.callIn(this.#ports, this.#account, 'terminate', async (context) =>
      this.#line.connector.remove?.({ kind: 'image', id, name, owner }, context),
    );
  }

  /** Whether the image is there still, as far as its cloud says. */
  async isLeft(): Promise<boolean> {
    const { resource, run } = this.#image;
    const query = { engine: this.#ports.engineId, run };
    const found = await this.#line.list(this.#ports, this.#account, query).catch(() => undefined);
    return found?.some(({ kind, id }) => kind === 'image' && id === resource) ?? true;
  }
}
