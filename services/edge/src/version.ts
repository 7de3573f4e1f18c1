import { packageVersion } from '@trunkline/foundation';

/** The version of this edge, from its package. */
export const VERSION = packageVersion(import.meta.url);
