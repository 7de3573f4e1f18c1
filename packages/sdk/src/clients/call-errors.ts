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
  streaming: (target: string): string =>
    `The client attempted to invoke the streaming '${target}' method with a non-streaming invocation.`,
  notStreaming: (target: string): string =>
    `The client attempted to invoke the non-streaming '${target}' method with a streaming invocation.`,
  /** The only one with the method's own spelling. */
  noStream: (method: string): string =>
    `The value returned by the streaming method '${method}' is not a ChannelReader<> or IAsyncEnumerable<>.`,
  streamThrew: 'An error occurred on the server while streaming results.',
  idInUse: (invocationId: string): string => `Invocation ID '${invocationId}' is already in use.`,
  /** Of the close message, not of a call. */
  closed: 'Connection closed with an error.',
} as const;
