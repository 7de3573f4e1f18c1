/**
 * For the environment in which an edge is started, where glibc reads it before anything of ours
 * runs. Memory of 48 KiB and more in one piece, as what a client may say before an app server has it
 * takes, is the kernel's again as soon as it is freed. By default 128 KiB and more are, and only until
 * such a piece is freed for the first time: from then on glibc has pieces up to that size, 32 MiB at
 * most, among the small ones, where one that is still in use keeps what lies below it.
 */
export const EDGE_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '49152' } as const;
