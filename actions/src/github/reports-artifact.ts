import type { Job } from '../runner/job.ts';
import type { Artifact, uploadArtifact } from './artifact.ts';

/** What uploads is much code, and most steps never need it: it is a file of its own, beside the engine. */
const uploader = new URL('../../engine/dist/artifact.mjs', import.meta.url).href;

/** Keeps reports as an artifact. @returns where people find it */
export async function keepReports(artifact: Artifact, job: Job): Promise<string | undefined> {
  const loaded = (await import(uploader)) as { uploadArtifact: typeof uploadArtifact };
  const id = await loaded.uploadArtifact(artifact);
  return id === undefined ? undefined : `${job.serverUrl}/${job.repository}/actions/runs/${job.run}/artifacts/${id}`;
}
