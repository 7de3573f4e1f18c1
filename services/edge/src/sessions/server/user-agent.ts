/** The .NET SDK as it names itself, with its major and minor version. */
const DOTNET = /^Microsoft\.Azure\.SignalR[\w.]*\/(\d+)\.(\d+)/;
/** The first release that was seen to take a client again; 1.15.2 was seen to fail (section 20.9). */
const REOPENS = [1, 34] as const;
/** The first release that was seen to refresh a sign-in (section 18.6). */
const REFRESHES = [1, 34] as const;
/** The first release with client results. */
const ASKS = [1, 19] as const;

/**
 * Whether a process that has lost a server connection can be given the clients of that connection
 * again as soon as it has opened another. Older .NET SDKs forget the new entry of such a client when
 * the app's handler for the old one ends, and the client starves.
 */
export function reopensClients(userAgent: string): boolean {
  return isFrom(REOPENS, userAgent);
}

/** Whether a process passes on what its clients answer; older .NET SDKs know of no such thing. */
export function passesAnswers(userAgent: string): boolean {
  return isFrom(ASKS, userAgent);
}

/** Whether a process takes new claims of a client that it has. */
export function updatesClaims(userAgent: string): boolean {
  return isFrom(REFRESHES, userAgent);
}

/**
 * Whether an app server, by its `Asrs-User-Agent`, takes a Pause for a word about speed. For the
 * .NET SDK it begins a move: everything stops and is acknowledged (service protocol reference,
 * section 18.3), or nothing happens at all; so only ours is told.
 */
export function restsStreams(userAgent: string): boolean {
  return userAgent.startsWith('trunkline-sdk/');
}

/**
 * Whether a process that has just started loses answers of clients that come too soon: the .NET SDK
 * writes a question down only after it has sent it, and the code that does so has yet to be compiled
 * (section 21.2). `server/early-questions.ts` gives it time.
 */
export function losesEarlyAnswers(userAgent: string): boolean {
  return DOTNET.test(userAgent);
}

/** Software that is not the .NET SDK is taken to do what the newest release of that does. */
function isFrom([firstMajor, firstMinor]: readonly [number, number], userAgent: string): boolean {
  const version = DOTNET.exec(userAgent);
  if (version === null) return true;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}
