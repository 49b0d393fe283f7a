/** A piece of a script's output, as it is stored. */
export interface LogChunk {
  /** Numbers the chunks of a run, from 1. */
  seq: number;
  instance: string;
  /** The step that wrote it. */
  source: string;
  stream: 'stdout' | 'stderr';
  /** Where it begins in the source's output on the machine, in bytes, and how many bytes it stands for. */
  start: number;
  bytes: number;
  at: number;
  text: string;
}

/** What is stored of one source of an instance's output. */
export interface LogEnd {
  instance: string;
  source: string;
  /** The first byte that is missing. */
  end: number;
  lastSeq: number;
  pieces: number;
  /** Of their text, in bytes. */
  size: number;
}
