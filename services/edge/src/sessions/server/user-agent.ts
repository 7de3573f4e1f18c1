import type { Software } from '../host.ts';

/** The .NET SDK as it names itself, with its major and minor version. */
const DOTNET = /^Microsoft\.Azure\.SignalR[\w.]*\/(\d+)\.(\d+)/;
/** The first release that was seen to take a client again; 1.15.2 was seen to fail (section 20.9). */
const REOPENS = [1, 34] as const;
/** The first release that was seen to refresh a sign-in (section 18.6). */
const REFRESHES = [1, 34] as const;
/** The first release with client results. */
const ASKS = [1, 19] as const;

/**
 * What an app server can do, by its `Asrs-User-Agent`. The one place where releases differ; the
 * sections are of the service protocol reference.
 */
export function softwareOf(userAgent: string): Software {
  return {
    // Older .NET SDKs forget the new entry of a client when the app's handler of its old one ends, and
    // the client starves.
    reopensClients: isFrom(REOPENS, userAgent),
    passesAnswers: isFrom(ASKS, userAgent),
    updatesClaims: isFrom(REFRESHES, userAgent),
    // For the .NET SDK a Pause begins a move: everything stops and is acknowledged (section 18.3), or
    // nothing happens at all; so only ours is told.
    restsStreams: userAgent.startsWith('trunkline-sdk/'),
    // The .NET SDK writes a question down only after it has sent it, and the code that does so has yet
    // to be compiled (section 21.2). `server/early-questions.ts` gives it time.
    losesEarlyAnswers: DOTNET.test(userAgent),
  };
}

/** Software that is not the .NET SDK is taken to do what the newest release of that does. */
function isFrom([firstMajor, firstMinor]: readonly [number, number], userAgent: string): boolean {
  const version = DOTNET.exec(userAgent);
  if (version === null) return true;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}
