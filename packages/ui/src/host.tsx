import type { Client, RunDetail } from '@paceline/api';
import { createContext, useContext, type ReactNode } from 'react';

/** What these pages need of the application that shows them. */
export interface Host {
  client: Client;
  /** The addresses of the pages there. */
  paths: Paths;
  /** Goes to an address without loading anything anew. */
  navigate: (path: string) => void;
  /** What the user may do with a run: nothing else is offered. The server decides in the end. */
  rightsOf: (run: Pick<RunDetail, 'id' | 'project' | 'createdBy'>) => Promise<readonly RunRight[]>;
  /** The projects that the user may start runs in, `*` for any. Where there is a choice, the form of a run asks. @default nothing is asked */
  projects?: readonly string[];
}

/** What may be done with a run besides looking at it. */
export type RunRight = 'update' | 'scale' | 'terminate';

export interface Paths {
  runs: string;
  run: (id: string) => string;
  apps: string;
  app: (id: string) => string;
}

const context = createContext<Host | undefined>(undefined);

/** To be put around all pages. Keep `host` the same object for as long as nothing in it changes. */
export function HostProvider({ host, children }: { host: Host; children: ReactNode }) {
  return (
    <context.Provider value={host}>
      <div className="pl">{children}</div>
    </context.Provider>
  );
}

/** @throws outside of a `HostProvider` */
export function useHost(): Host {
  const host = useContext(context);
  if (host === undefined) throw new Error('Pages of Paceline need a HostProvider around them');
  return host;
}

/** A link within the application. With a modifier key it is the browser's. */
export function Link({ to, children, current = false }: { to: string; children: ReactNode; current?: boolean }) {
  const { navigate } = useHost();
  return (
    <a
      href={to}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </a>
  );
}
