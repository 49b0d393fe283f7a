import type { ScriptPhase } from './image.ts';

/** What people call the phases; SlipStream's words, which also name the script files on a machine. */
export const phaseLabels = {
  preInstall: 'Pre-install',
  postInstall: 'Post-install',
  deploy: 'Deployment',
  report: 'Reporting',
  onVmAdd: 'On VM Add',
  onVmRemove: 'On VM Remove',
  preScale: 'Pre-Scale',
  postScale: 'Post-Scale',
} as const satisfies Record<ScriptPhase, string>;
