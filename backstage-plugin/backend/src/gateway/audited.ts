import type { AuditorService } from '@backstage/backend-plugin-api';
import type { Request } from 'express';

/** Tells the auditor of what is done, and how it went. @throws what the change throws */
export async function audited(
  auditor: AuditorService,
  request: Request,
  meta: Record<string, string | null>,
  change: () => Promise<void>,
  eventId: 'run-change' | 'secret-reveal' = 'run-change',
): Promise<void> {
  const event = await auditor.createEvent({ eventId, severityLevel: 'medium', request, meta });
  try {
    await change();
    const status = request.res?.statusCode ?? 0;
    if (status < 400) await event.success();
    else await event.fail({ error: new Error(`The server answers ${status}`) });
  } catch (error) {
    await event.fail({ error: error instanceof Error ? error : new Error(String(error)) });
    throw error;
  }
}
