import { ConnectorError, type Connector } from '@paceline/engine/connector';

/** Refuses launches beyond so many machines in all, of all connectors that it is given. */
export function launchBudget(machines: number): (connector: Connector) => Connector {
  let left = machines;
  return (connector) => {
    const launch: Connector['launch'] = (request, context) => {
      left -= request.machines.length;
      if (left < 0) throw new ConnectorError('quota', `the budget of ${machines} machines is used up`, { hint: 'Set a larger --budget.' });
      return connector.launch(request, context);
    };
    return new Proxy(connector, {
      get(target, key): unknown {
        if (key === 'launch') return launch;
        const value: unknown = Reflect.get(target, key, target);
        // Of a class, a method may know its own object only.
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
}
