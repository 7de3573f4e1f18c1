/** The .NET SDK as it names itself, with its major and minor version. */
const DOTNET = /^Microsoft\.Azure\.SignalR[\w.]*\/(\d+)\.(\d+)/;
/** The first release that was seen to cope; 1.15.2 was seen to fail (section 20.9). */
const FIRST_GOOD = [1, 34] as const;

/**
 * Whether a process can have a client again as soon as it has replaced the connection that it had
 * it on. Older .NET SDKs forget the new entry when the app's handler of the old one ends, and the
 * client starves.
 */
export function reopensClients(userAgent: string): boolean {
  const version = DOTNET.exec(userAgent);
  if (version === null) return true;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > FIRST_GOOD[0] || (major === FIRST_GOOD[0] && minor >= FIRST_GOOD[1]);
}
