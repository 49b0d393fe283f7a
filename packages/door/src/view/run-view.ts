import type { EventView, LogView, RunDetail } from '@paceline/api';

/** What shows a run to somebody while it goes on. */
export interface RunView {
  /** It shows details, and wants them anew whenever something happens. */
  readonly wantsDetails: boolean;
  detail(run: RunDetail): void;
  event(event: EventView): void;
  log(piece: LogView): void;
  /** Something about the command itself, such as a lost link. */
  note(text: string): void;
  /** Nothing more comes. */
  close(): void;
}
