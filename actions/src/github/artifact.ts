import { DefaultArtifactClient } from '@actions/artifact';

export interface Artifact {
  name: string;
  files: readonly string[];
  /** What their paths in the artifact begin at. */
  folder: string;
  /** How many days GitHub keeps it. @default what the repository says */
  retentionDays: number | undefined;
}

/** Keeps files as an artifact of the workflow. @returns GitHub's number of it */
export async function uploadArtifact({ name, files, folder, retentionDays }: Artifact): Promise<number | undefined> {
  const options = retentionDays === undefined ? {} : { retentionDays };
  const { id } = await new DefaultArtifactClient().uploadArtifact(name, [...files], folder, options);
  return id;
}
