/** The error texts of calls, as ASP.NET Core has them (client protocols reference, section 6.4). */
export const callErrors = {
  threw: (target: string): string =>
    `An unexpected error occurred invoking '${target}' on the server.`,
  unknownMethod: (target: string): string =>
    `Failed to invoke '${target}' due to an error on the server. HubException: Method does not exist.`,
  notBound: (target: string): string =>
    `Failed to invoke '${target}' due to an error on the server.`,
  /** Behind `notBound` where errors are detailed. */
  argumentCount: (provided: number, expected: number): string =>
    `Invocation provides ${provided} argument(s) but target expects ${expected}.`,
  /** The same; ASP.NET Core has only the first part of it. */
  argumentTypes: (issues: string): string =>
    `Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked. ${issues}`,
  unauthorized: (target: string): string =>
    `Failed to invoke '${target}' because user is unauthorized`,
  streaming: (target: string): string =>
    `The client attempted to invoke the streaming '${target}' method with a non-streaming invocation.`,
  notStreaming: (target: string): string =>
    `The client attempted to invoke the non-streaming '${target}' method with a streaming invocation.`,
  /** The only one with the method's own spelling. */
  noStream: (method: string): string =>
    `The value returned by the streaming method '${method}' is not a ChannelReader<> or IAsyncEnumerable<>.`,
  uploadCount: (target: string, sent: number, expected: number): string =>
    `An unexpected error occurred invoking '${target}' on the server. HubException: Client sent ${sent} stream(s), Hub method expects ${expected}.`,
  /** Of one stream that a client uploads. */
  itemNotBound: 'Failed to bind Stream message.',
  streamThrew: 'An error occurred on the server while streaming results.',
  /** ASP.NET Core has no such bound. */
  tooManyCalls: (target: string, limit: number): string =>
    `Failed to invoke '${target}' due to an error on the server. HubException: ${limit} calls of this client are running, which is the most it may have.`,
  idInUse: (invocationId: string): string => `Invocation ID '${invocationId}' is already in use.`,
  /** Of the handshake, not of a call: ASP.NET Core has none, since there HTTP answers 401 or 403. */
  unauthorizedUser: 'Failed to connect because user is unauthorized',
  /** Of the close message. */
  closed: 'Connection closed with an error.',
} as const;
