import type { ReactNode } from 'react';

/** What went wrong, with what to do about it when the server says so. */
export function ErrorNotice({ error }: { error: Error | undefined }) {
  if (error === undefined) return null;
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined;
  return (
    <div className="pl-notice" data-tone="bad" role="alert">
      <strong>{error.message}</strong>
      {hint !== undefined && <p>{hint}</p>}
    </div>
  );
}

/** Said where there is nothing to show. */
export function Nothing({ children }: { children: ReactNode }) {
  return <p className="pl-nothing">{children}</p>;
}

export function Loading() {
  return (
    <p className="pl-nothing" role="status">
      Loading…
    </p>
  );
}
