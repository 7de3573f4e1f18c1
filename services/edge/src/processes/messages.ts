/** What an edge tells the parent that has started it, over the channel between them. */
export type FromEdge =
  /** It listens; the address of its admin port. */
  | { readonly listening: string }
  /** It may not start, or not go on: what somebody has to change, in one line. It ends by itself. */
  | { readonly refused: string };
