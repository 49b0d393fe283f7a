import { bounds } from '@paceline/model';
import * as z from 'zod';
import { runDetail } from './runs.ts';

const number = z.int().min(0).max(bounds.instances);
const ids = z.array(z.int().min(1)).min(1).max(bounds.instances);
const common = {
  /** Chosen by the client: a request that is made again, because its answer was lost, scales once. */
  id: z.uuid().optional(),
  node: z.string().max(bounds.nameLength),
};

/** How many of the new machines may fail to start. By default what the deployment says. */
const tolerate = number.optional();

/** `POST /api/runs/{run}/scale`: another number of machines of a node, or others. */
export const scaleRequest = z.union([
  z.strictObject({ ...common, add: number, tolerate }),
  /** So many; those that came last go first. */
  z.strictObject({ ...common, remove: number }),
  z.strictObject({ ...common, count: number, tolerate }),
  /** Those with these numbers. */
  z.strictObject({ ...common, removeIds: ids }),
  /** All machines of the node, or those with these numbers. */
  z.strictObject({
    ...common,
    resize: z
      .strictObject({
        cpus: z.exactOptional(z.number().positive().max(100_000)),
        memoryMiB: z.exactOptional(
          z
            .int()
            .positive()
            .max(2 ** 31),
        ),
      })
      .refine(({ cpus, memoryMiB }) => cpus !== undefined || memoryMiB !== undefined, 'needs `cpus` or `memoryMiB`'),
    ids: ids.optional(),
  }),
  /** An empty disk of so many GiB for each of them. */
  z.strictObject({ ...common, attachDisk: z.int().min(1).max(65_536), ids: ids.optional() }),
  /** A disk that was attached so, by its device. */
  z.strictObject({ ...common, detachDisk: z.string().min(1).max(bounds.nameLength), ids: ids.optional() }),
]);
export type ScaleBody = z.infer<typeof scaleRequest>;

/** The run is on its way to Ready again when there are `instances`; without any there was nothing to do. */
export const scaleAnswer = z.object({ run: runDetail, instances: z.array(z.string()) });
export type ScaleAnswer = z.infer<typeof scaleAnswer>;
