/** Users and groups of a hub: what others may send to, and this edge has somebody of or not. */
export type NameKind = 'group' | 'user';

/** Is told of the first connection here that a name stands for, and when the last one has gone. */
export interface Interest {
  wanted(kind: NameKind, name: string): void;
  unwanted(kind: NameKind, name: string): void;
}

/** For an edge to which nobody else sends. */
export const NO_INTEREST: Interest = { wanted() {}, unwanted() {} };
