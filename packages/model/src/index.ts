export { errorCatalogue, type ErrorCode } from './errors/catalogue.ts';
export { isPacelineError, PacelineError, toError, type ErrorDetails } from './errors/paceline-error.ts';
export * from './resolved/parameter.ts';
export * from './resolved/image.ts';
export * from './resolved/deployment.ts';
export * from './resolved/run-plan.ts';
