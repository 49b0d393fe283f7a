import { DefaultArtifactClient } from '@actions/artifact';

/** Keeps files as an artifact of the workflow. @returns GitHub's number of it */
export async function uploadArtifact(name: string, files: string[], folder: string): Promise<number | undefined> {
  const { id } = await new DefaultArtifactClient().uploadArtifact(name, files, folder);
  return id;
}
