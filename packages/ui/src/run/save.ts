/** What is bigger goes to the disk as it comes, in bytes. */
const mostGathered = 32 * 1024 * 1024;

interface SavePicker {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}

/**
 * Gives the user a file to keep. It is only ever saved, never shown by the browser. A big one goes to the disk as it comes, where
 * the browser has a way for that, and else it is gathered in its memory.
 * @param bytes the size of it
 * @throws what `pieces` throws; nothing is left of the file then
 */
export async function save(name: string, bytes: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const { showSaveFilePicker: pick } = window as SavePicker;
  if (bytes <= mostGathered || pick === undefined) return gather(name, pieces);
  const file = await pick.call(window, { suggestedName: name }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined;
    throw error;
  });
  // The user does not want it any more.
  if (file === undefined) return;
  const sink = await file.createWritable();
  try {
    for await (const piece of pieces) await sink.write(new Uint8Array(piece));
    await sink.close();
  } catch (error) {
    await sink.abort().catch(() => {});
    throw error;
  }
}

async function gather(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const found: BlobPart[] = [];
  for await (const piece of pieces) found.push(new Uint8Array(piece));
  const url = URL.createObjectURL(new Blob(found, { type: 'application/gzip' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
