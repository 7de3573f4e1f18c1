export { EDGE_ENVIRONMENT } from './edge-environment.ts';
export { listen } from './listen.ts';
export { packageVersion } from './package-version.ts';
export { runProcess } from './run-process.ts';
export type { Running } from './run-process.ts';
export { runService } from './run-service.ts';
export { SLOW_REQUEST_LIMITS } from './slow-request-limits.ts';
export { stopRequest } from './stop-request.ts';
export type { StopSource } from './stop-request.ts';
