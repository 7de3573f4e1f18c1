/** Kept for app servers, the admin port, log and TLS files, and for saying no to clients. */
const SHARE_KEPT = 0.05;
const LEAST_KEPT = 128;

/** Files and sockets this process may have open; Infinity where the system does not say. */
export function openFilesLimit(): number {
  const report = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | string } };
  };
  const limit = Number(report.userLimits?.open_files?.soft);
  return Number.isNaN(limit) ? Infinity : limit;
}

/** Sockets of the public port beyond which clients are refused, while there still are files. */
export function socketLimit(openFiles: number): number {
  if (openFiles === Infinity) return Infinity;
  return Math.max(1, openFiles - Math.max(LEAST_KEPT, Math.ceil(openFiles * SHARE_KEPT)));
}
