import { HubException } from '../exception.ts';

/**
 * ASP.NET's texts for calls that fail (client protocols reference, section 6.4). The exception's own
 * text follows for HubException, and for every one where the hub gives detailed errors.
 */
export function describe(base: string, error: Error, detailed: boolean): string {
  const shown = detailed || error instanceof HubException;
  return shown ? `${base} ${error.name}: ${error.message}` : base;
}

export const errorTexts = {
  threw: (target: string): string =>
    `An unexpected error occurred invoking '${target}' on the server.`,
  notBound: (target: string): string =>
    `Failed to invoke '${target}' due to an error on the server.`,
  argumentCount: (given: number, expected: number): string =>
    `Invocation provides ${given} argument(s) but target expects ${expected}.`,
  uploadCount: (given: number, expected: number): string =>
    `Client sent ${given} stream(s), Hub method expects ${expected}.`,
  streamingMethod: (target: string): string =>
    `The client attempted to invoke the streaming '${target}' method with a non-streaming invocation.`,
  plainMethod: (target: string): string =>
    `The client attempted to invoke the non-streaming '${target}' method with a streaming invocation.`,
  stream: 'An error occurred on the server while streaming results.',
  closed: 'Connection closed with an error.',
} as const;
