/**
 * Every timer of `npm start` and `npm run serverless`, in milliseconds: none of them may end anything
 * that runs as it should, so the test of `npm start` runs it for longer than the longest.
 */
export const TIMES = {
  /** For a service to listen, and for the chat to be connected; then it is killed. */
  start: 20_000,
  /** For each to end, the chat first; then it is killed. `runProcess` gives all of them 8 s. */
  stopChat: 5_000,
  stopNegotiate: 1_000,
  stopEdge: 1_500,
  /** At last, where there is one. */
  stopNats: 400,
  /** Of `npm run serverless`, the edge first, which gives its upstream 3 s to hear of its clients' end. */
  stopServerlessEdge: 4_000,
  stopServerlessApp: 2_000,
} as const;
