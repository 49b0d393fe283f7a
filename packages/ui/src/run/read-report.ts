import { parseTar } from 'nanotar';

/** Larger reports are for downloading. */
export const mostPreviewBytes = 8 * 1024 * 1024;
/** So much of what a report unpacks to is looked at: a small file can hold a huge one. */
const mostUnpackedBytes = 64 * 1024 * 1024;
const mostTextBytes = 256 * 1024;

export interface ReportFile {
  name: string;
  size: number;
  /** Undefined for what is no text. */
  text: string | undefined;
}

/**
 * The files of a gzipped tarball. Nothing of it is believed or unpacked anywhere: it is only shown.
 * @throws when it is no such thing, or too large to look into
 */
export async function readReport(pieces: AsyncIterable<Uint8Array>): Promise<ReportFile[]> {
  const packed = await gathered(pieces, mostPreviewBytes);
  const plain = await gathered(chunksOf(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))), mostUnpackedBytes);
  return parseTar(plain)
    .filter(({ type }) => type === 'file')
    .map(({ name, size, data }) => ({ name, size, text: textOf(data ?? new Uint8Array()) }));
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function gathered(pieces: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const found: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > most) throw new Error('This report is too large to look into here: download it.');
    found.push(piece);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of found) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function textOf(data: Uint8Array): string | undefined {
  if (data.subarray(0, 8000).includes(0)) return undefined;
  const text = new TextDecoder().decode(data.subarray(0, mostTextBytes));
  return data.length > mostTextBytes ? `${text}\n… the rest is in the download` : text;
}
