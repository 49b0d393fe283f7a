import type { Connector } from '@paceline/engine/connector';

/**
 * A connector that may still be on its way. What it can do is known from the first of its kind.
 * @throws whatever kept it from being made, from each of its calls
 */
export function openedLater(first: Connector, made: Connector | Promise<Connector>): Connector {
  if (!(made instanceof Promise)) return made;
  made.catch(() => {});
  const later: Pick<Connector, 'list'> = {
    async *list(query, context) {
      yield* (await made).list(query, context);
    },
  };
  return new Proxy(first, {
    get(target, key): unknown {
      const known: unknown = Reflect.get(target, key, target);
      // All the others are asked for an answer that takes its time.
      if (typeof known !== 'function' || key === 'hostUrl') return known;
      if (key === 'list') return later.list;
      return async (...args: unknown[]): Promise<unknown> => {
        const connector = await made;
        const method: unknown = Reflect.get(connector, key, connector);
        return typeof method === 'function' ? Reflect.apply(method, connector, args) : undefined;
      };
    },
  });
}
