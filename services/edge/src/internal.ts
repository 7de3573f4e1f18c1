/** For the tests and tools of this repository: an edge within their own process. */
export { readConfig } from './config.ts';
export { startEdge } from './edge.ts';
export type { Edge } from './edge.ts';
