export { errorCatalogue, type ErrorCode } from './errors/catalogue.ts';
export { isPacelineError, PacelineError, toError, type ErrorDetails } from './errors/paceline-error.ts';
export * from './resolved/parameter.ts';
export * from './resolved/image.ts';
export { bounds } from './resolved/bounds.ts';
export * from './resolved/budget.ts';
export * from './resolved/deployment.ts';
export * from './resolved/run-plan.ts';
export * from './parameters/key.ts';
export * from './parameters/system.ts';
export { closest, suggest } from './parameters/suggestion.ts';
export { formatMoney } from './quantity/money.ts';
export { formatDuration, parseDuration } from './quantity/duration.ts';
export { parseSize } from './quantity/size.ts';
export { apiVersion } from './schema/metadata.ts';
export { imageFile, type ImageFile } from './schema/image.ts';
export { deploymentFile, type DeploymentFile } from './schema/deployment.ts';
export { projectFile, type ProjectFile } from './schema/project.ts';
export { jsonSchemas, schemaBaseUrl, type ModuleKind } from './schema/json-schemas.ts';
export { buildDigest, canonicalJson, contentDigest, deploymentDigest, imageDigest, withDigests } from './digest.ts';
export { formatDiagnostic, type Diagnostic } from './source/diagnostic.ts';
export { memoryFiles, type FileSource } from './load/file-source.ts';
export { diskFiles } from './load/disk-files.ts';
export { findProject } from './load/project.ts';
export { channelPattern, moduleReference, parseModuleReference, type ModuleReference } from './load/module-reference.ts';
export type { PublishedContent, PublishedModules } from './load/published-images.ts';
export { checkModule, loadModule, type CheckedModule, type LoadedModule, type LoadOptions } from './load/load-module.ts';
export { deploymentDefaults, imageDeployment } from './load/resolve-deployment.ts';
export { parseCloudChoice } from './plan/cloud-choice.ts';
export type { CloudOffers } from './plan/cloud-room.ts';
export { estimateRun, type EstimatedShare, type RunEstimate } from './plan/estimate-run.ts';
export { overBudget, type Cost } from './plan/over-budget.ts';
export { firstCloud, placedAs, placeRun } from './plan/place-run.ts';
export { planRun } from './plan/plan-run.ts';
export { sortValues } from './plan/run-request.ts';
export type { RequestProblem, RunRequest } from './plan/run-request.ts';
export { checkWiring, type WiringReport } from './wiring/check-wiring.ts';
export type { WiringEdge } from './wiring/edges.ts';
export {
  planOverview,
  type OverviewNode,
  type OverviewParameter,
  type OverviewStep,
  type PlanOverview,
  type ValueOrigin,
} from './plan/plan-overview.ts';
export { importSlipstream, type Imported, type ImportedFile } from './slipstream/import-modules.ts';
export { exportSlipstream, type Exported } from './slipstream/export-modules.ts';
export type { Unmapped } from './slipstream/xml.ts';
export { xmlText } from './slipstream/xml-text.ts';
export { initTemplate, type TemplateFile } from './template/init-template.ts';
