import { useCallback, useEffect, useState } from 'react';

/** Something that comes from the server. What was there stays while it is loaded again. */
export interface Loaded<T> {
  value: T | undefined;
  error: Error | undefined;
  reload: () => void;
}

/** Loads at first, whenever `load` is another function, and when asked. Keep `load` by `useCallback`. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ value?: T; error?: Error }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let wanted = true;
    load().then(
      (value) => wanted && setState({ value }),
      (error: unknown) => wanted && setState((before) => ({ ...before, error: error instanceof Error ? error : new Error(String(error)) })),
    );
    return () => {
      wanted = false;
    };
  }, [load, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { value: state.value, error: state.error, reload };
}
