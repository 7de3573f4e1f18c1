/**
 * For the environment in which an edge is started, where glibc reads it before anything of ours
 * runs. Memory of 128 KiB and more in one piece is the kernel's again as soon as it is freed. That is
 * so by default, too, but only until such a piece is freed for the first time: from then on glibc has
 * pieces up to that size, 32 MiB at most, among the small ones, where one that is still in use keeps
 * what lies below it. To name the default keeps it in force.
 */
export const EDGE_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '131072' } as const;
