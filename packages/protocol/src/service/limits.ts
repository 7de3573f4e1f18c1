/** Bounds that a reader of the service protocol keeps, in bytes and counts. */

/**
 * One service message. The protocol allows 2 GiB (section 5.1) and leaves the choice to the
 * service: 128 MiB lets the largest frame that the .NET SDK packs through and still bounds memory.
 */
export const MAX_SERVICE_MESSAGE_BYTES = 128 * 1024 * 1024;

/** Elements of one array or map (ids, claims, headers): what no real message comes near. */
export const MAX_ELEMENTS = 1_000_000;

/** Nesting of values that a reader only skips. */
export const MAX_DEPTH = 32;

/** Where our writers end one WebSocket message and begin the next. */
export const TRUNK_FRAME_BYTES = 1024 * 1024;
