import { useState, type ReactNode } from 'react';
import { ErrorNotice } from './notice.tsx';

interface ActionButtonProps {
  children: ReactNode;
  /** Rejects with what to tell the user. */
  action: () => Promise<unknown>;
  tone?: 'main' | 'bad';
  /** Asked before it is done. */
  confirm?: string;
}

/** Called once for each button that comes into the page: what changes meanwhile takes the focus from nobody. */
function focus(button: HTMLButtonElement | null): void {
  button?.focus();
}

/** A button that does something on the server: once at a time, and it says what went wrong. */
export function ActionButton({ children, action, tone, confirm }: ActionButtonProps) {
  const [state, setState] = useState<{ busy: boolean; asking: boolean; refused?: boolean; error?: Error }>({ busy: false, asking: false });
  const act = (): void => {
    setState({ busy: true, asking: false });
    action().then(
      () => setState({ busy: false, asking: false }),
      (error: unknown) => setState({ busy: false, asking: false, error: error instanceof Error ? error : new Error(String(error)) }),
    );
  };
  if (state.asking) {
    return (
      <span className="pl-confirm" role="group" aria-label={confirm}>
        <span>{confirm}</span>
        <button type="button" className="pl-button" data-tone={tone} onClick={act} ref={focus}>
          Yes
        </button>
        <button type="button" className="pl-button" onClick={() => setState({ busy: false, asking: false, refused: true })}>
          No
        </button>
      </span>
    );
  }
  return (
    <>
      <button
        type="button"
        className="pl-button"
        data-tone={tone}
        disabled={state.busy}
        ref={state.refused === true ? focus : undefined}
        onClick={() => (confirm === undefined ? act() : setState({ busy: false, asking: true }))}
      >
        {children}
      </button>
      <ErrorNotice error={state.error} />
    </>
  );
}
