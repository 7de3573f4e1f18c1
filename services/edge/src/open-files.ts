import type { GivenPolicies } from './sessions/hub-policies.ts';
import { UPSTREAMS_AT_ONCE } from './sessions/upstream/call-pool.ts';

/**
 * The part of all files that clients do not get. A quarter of it is for connections of app servers
 * beyond the limit of sockets, three eighths for sockets that have not said yet what they want (the
 * pool `newcomers`), the rest for the admin port, log and TLS files, and for saying no to clients.
 */
const SHARE_KEPT = 0.05;
export const LEAST_KEPT = 128;
/** Connections of the admin port at a time: they and the process's own files fit into that rest. */
export const ADMIN_CONNECTIONS = 20;

/** Files and sockets this process may have open; Infinity where the system does not say. */
export function openFilesLimit(): number {
  const report = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | string } };
  };
  const limit = Number(report.userLimits?.open_files?.soft);
  return Number.isNaN(limit) ? Infinity : limit;
}

/**
 * What is left of all files where calls to upstreams, `concurrency` to one, have their own: a socket for
 * each, but no more than a quarter of all, so that clients come in whatever the setting. Rules of hubs may
 * change while an edge runs and its limits do not, so those count that there are at its start.
 */
export function withoutUpstreams(
  openFiles: number,
  { hubs, concurrency }: { hubs: GivenPolicies; concurrency: number },
): number {
  const hasRules = [...hubs.named.values(), hubs.others].some(
    ({ upstream }) => upstream.length > 0,
  );
  if (!hasRules) return openFiles;
  return openFiles - Math.min(UPSTREAMS_AT_ONCE * concurrency, Math.floor(openFiles / 4));
}

/** Files that are kept from clients; `LEAST_KEPT` where there is no limit. */
export function keptFiles(openFiles: number): number {
  return openFiles === Infinity
    ? LEAST_KEPT
    : Math.max(LEAST_KEPT, Math.ceil(openFiles * SHARE_KEPT));
}

/** Sockets of the public port beyond which clients are refused, while there still are files. */
export function socketLimit(openFiles: number): number {
  return Math.max(1, openFiles - keptFiles(openFiles));
}

/** Kept files for app servers that come when clients are refused already. */
export function spareSockets(openFiles: number): number {
  return Math.floor(keptFiles(openFiles) / 4);
}
