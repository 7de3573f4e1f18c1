/** One rule, as another edge can take it over. */
export interface Rule {
  readonly userId: string;
  readonly group: string;
  /** How long it holds; undefined for one without a time to live. */
  readonly ttlSeconds: number | undefined;
  /** How long ago it was set. */
  readonly ageSeconds: number;
}

/** A user was taken out of a group; `group` undefined: out of all. As another edge can take it over. */
export interface Removal {
  readonly userId: string;
  readonly group: string | undefined;
  readonly ageSeconds: number;
}

/** The rules of some users, and where the next ones begin; undefined after the last. */
export interface RulesPage {
  readonly rules: readonly Rule[];
  readonly next: number | undefined;
  /** With the first page: what is to be forgotten unless this page or a later one has it. */
  readonly removals?: readonly Removal[];
}
