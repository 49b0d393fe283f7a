import type { AppDetail, AppView } from '@paceline/api';
import { PacelineError, type ResolvedDeployment } from '@paceline/model';

/** The deployments that a server offers to be started by a button. */
export class Apps {
  readonly #apps: ReadonlyMap<string, AppDetail>;

  /** @param deployments of those with the same name, the first is called by it, and the others by a number, too */
  constructor(deployments: readonly ResolvedDeployment[]) {
    const apps = new Map<string, AppDetail>();
    for (const deployment of deployments) {
      const { name, title = name, description = '', tags, nodes } = deployment;
      let id = name;
      for (let number = 2; apps.has(id); number++) id = `${name}-${number}`;
      apps.set(id, { id, name, title, description, tags, nodes: Object.keys(nodes), deployment });
    }
    this.#apps = apps;
  }

  list(): AppView[] {
    return [...this.#apps.values()].map(({ deployment: _, ...view }) => view);
  }

  /** @throws PACELINE_NOT_FOUND */
  get(id: string): AppDetail {
    const app = this.#apps.get(id);
    if (app === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `This server offers no ${id}`);
    return app;
  }
}
