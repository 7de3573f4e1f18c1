/** HTTP calls to upstreams, as sessions make them. */

export interface UpstreamRequest {
  /** `https://app.example`, without a path. */
  readonly origin: string;
  /** Path and query, encoded: sent as they are. */
  readonly path: string;
  /** Values are bytes, each a character of Latin-1. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What comes of one call. */
export type UpstreamOutcome =
  | { readonly kind: 'answer'; readonly status: number; readonly body: Uint8Array }
  /** No answer began; `refused` where the address may not be called. */
  | { readonly kind: 'unreachable'; readonly refused: boolean; readonly message: string }
  /** Its body did not come to its end. */
  | { readonly kind: 'broken'; readonly message: string }
  /** Its body has more bytes than there is room for. */
  | { readonly kind: 'too_large' }
  /** The call was given up; `answering`: while the body came. */
  | { readonly kind: 'aborted'; readonly answering: boolean };

/** Gives a call up. Its `done` follows. */
export type AbortCall = () => void;

export interface UpstreamHttp {
  /**
   * Posts, and calls `done` once, later than this returns. Redirects are not followed. `room` is asked
   * before bytes of the answer's body are kept; without it the body is of no interest.
   */
  post(
    request: UpstreamRequest,
    room: ((bytes: number) => boolean) | undefined,
    done: (outcome: UpstreamOutcome) => void,
  ): AbortCall;
}
